"""Requests and responses: what the command line's JSON, HTTP and MCP share, one file a subject."""
