"""HTTP, the OpenAI-compatible API and MCP: routes only, which call the service."""
