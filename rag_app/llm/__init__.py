"""Language models behind one LangChain interface: llama.cpp in a child process, and servers."""
