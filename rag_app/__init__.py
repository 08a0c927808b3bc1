"""The application: settings, answering, command line."""
