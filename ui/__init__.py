"""The Streamlit page, one view per file; the only package that imports streamlit."""
