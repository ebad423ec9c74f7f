"""Print the code that makes a shell complete commands, options, recipes and folders.

For bash put ``eval "$(gluon-rnn completion bash)"`` into ~/.bashrc; for zsh the same with zsh into ~/.zshrc, behind
``autoload -U compinit; compinit``; for fish ``gluon-rnn completion fish | source`` into ~/.config/fish/config.fish.
"""

EXAMPLE = "gluon-rnn completion bash > completion.bash"


def run(options):
    """Print the code for one shell."""
    import argcomplete
    print(argcomplete.shellcode(["gluon-rnn"], shell=options.shell))
    return 0


def add_arguments(parser):
    """Add the options of this command to a parser."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"))
