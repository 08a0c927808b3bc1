"""The application's verbs over one open library, in this process or through another."""
