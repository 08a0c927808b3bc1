"""The Chat page: what is said (talk), its layout (pane), what a person can do (wiring), and beside it the
conversations that are kept and the evidence of an answer."""
