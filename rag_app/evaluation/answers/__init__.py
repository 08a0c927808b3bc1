"""Measures the answers that people read: asks each question, and compares with the gold answer and pages.

dataset ──asking──▶ answers ──gold, measuring──▶ values a question ──report──▶ figures, and all answers
"""
