"""The app: `streamlit run app.py`.

This file is read in two ways. Streamlit runs it as a script each time the page is drawn, and the
server imports it once, for the object that holds the page and the HTTP API together.
"""

if __name__ == "__main__":
    from ui.page import build

    build()
else:
    from streamlit.config import get_option
    from streamlit.starlette import App

    from api.mount import MountedApi
    from fer_core.allocator import share_freed_memory
    from ui.live_feed import feed_routes
    from ui.opening import opening_page
    from ui.viewer_files import file_routes

    share_freed_memory()
    api = MountedApi(base=get_option("server.baseUrlPath"))
    routes = [*api.routes, *feed_routes(), *file_routes()]
    app = App(__file__, routes=routes, lifespan=opening_page(api.lifespan))
