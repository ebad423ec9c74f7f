"""Prediction of time series, and system identification."""
