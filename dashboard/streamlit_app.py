"""Navigation, and nothing else: which pages there are."""

import streamlit as st

from dashboard import parts

st.set_page_config(page_title="Gaplab", page_icon=parts.ICON, layout="wide", menu_items={"About": parts.ABOUT})
parts.style()

overview = st.Page("app_pages/overview.py", title="Where practice departs from theory · Gaplab", default=True)
claim = st.Page("app_pages/claim.py", title="Claim · Gaplab", url_path="claim")
st.navigation([overview, claim], position="hidden").run()
