"""The app: `streamlit run app.py`."""

from ui.page import build

build()
