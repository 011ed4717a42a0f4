"""Navigation, and nothing else: which pages there are."""

import streamlit as st

from dashboard.parts import ABOUT, ICON, style

st.set_page_config(page_title="Gaplab", page_icon=ICON, layout="wide", menu_items={"About": ABOUT})
style()

overview = st.Page("app_pages/overview.py", title="Where practice departs from theory · Gaplab", default=True)
claim = st.Page("app_pages/claim.py", title="Claim · Gaplab", url_path="claim")
st.navigation([overview, claim], position="hidden").run()
