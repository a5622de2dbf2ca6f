"""A sentence about the camera that only the browser can know: no camera, no permission, no HTTPS.

The streaming component asks the browser for the camera inside its own frame and, when the browser
refuses, shows the browser's error there without telling the server. This small component reads
that error and says in its place, in plain words, what to do. It sends nothing to the server, so it
causes no rerun.
"""

from __future__ import annotations

import streamlit as st

_HTML = '<div class="hint" role="alert" hidden></div>'

_CSS = """
.hint {padding:.7rem .9rem; border-radius:.6rem; font-size:.95rem; line-height:1.45;
  color:var(--st-text-color); background:color-mix(in srgb, #e0a400 20%, transparent)}
"""

_JS = r"""
const SENTENCES = [
  [/denied by system/i,
   'The computer does not let the browser use the camera. Allow it in the privacy settings of ' +
   'the computer, then press START again.'],
  [/NotAllowedError|SecurityError|Permission/i,
   'The browser refused the camera. Allow it with the camera sign in the address bar, ' +
   'then press START again.'],
  [/NotFoundError|DevicesNotFound|not found/i,
   'No camera was found. Plug one in or switch it on, then press START again. ' +
   'The Video tab works without a camera.'],
  // Browsers that cannot tell why a camera gives nothing call that an AbortError.
  [/NotReadableError|TrackStartError|Could not start|Starting video/i,
   'The camera is in use by another program. Close that program, then press START again.'],
  [/OverconstrainedError|ConstraintNotSatisfied/i,
   'The chosen camera is not there any more. Press SELECT DEVICE and choose another one.'],
  [/mediaDevices|Media API/i,
   'Browsers give the camera only to pages on localhost or with HTTPS. ' +
   'Open this page with one of them.'],
  [/./,
   'The camera could not be started. Press START again; if that does not help, reload the page.'],
];
const FRAME = 'iframe[title="streamlit_webrtc.component.webrtc_streamer"]';

export default function (component) {
  const box = component.parentElement.querySelector('.hint');
  const look = () => {
    let said = window.isSecureContext ? '' : 'mediaDevices';
    try {
      const page = document.querySelector(FRAME)?.contentDocument;
      const alert = page?.querySelector('[role="alert"]');
      if (alert) {
        // Slow connections are warned of in the same kind of box; that is no camera fault.
        const fault = !/taking|longer|network/i.test(alert.textContent);
        alert.style.display = fault ? 'none' : '';
        if (fault) said = said || alert.textContent;
      }
    } catch (error) { /* the frame is being replaced */ }
    const sentence = said ? SENTENCES.find(([pattern]) => pattern.test(said))[1] : '';
    if (box.textContent !== sentence) {
      box.textContent = sentence;
      box.hidden = !sentence;
    }
  };
  look();
  const timer = setInterval(look, 400);
  return () => clearInterval(timer);
}
"""


def camera_hint() -> None:
    """Room for the sentence; empty while there is nothing to say."""
    # Made known on every run: before Streamlit 1.66 a component is known only to the server that
    # ran when its module was imported. The same again costs nothing.
    mount = st.components.v2.component("fer_live_camera_hint", html=_HTML, css=_CSS, js=_JS)
    mount(key="camera_hint")
