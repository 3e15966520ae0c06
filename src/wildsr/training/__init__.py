"""Verbs that recipes share: fit, judge, save, resume, describe."""
