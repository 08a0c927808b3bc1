"""`python -m rag_app` is `rag-app`."""

from rag_app.cli import main

if __name__ == "__main__":
    main()
