"""The Compare page: one question, the passages that two to four strategies find for it, and a vote."""
