"""Requests and responses: what JSON, HTTP, MCP and the page share."""
