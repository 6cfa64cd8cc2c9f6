"""libcurl with CONNECT over HTTP/2 (what `curl --proxy-http2` does): one request after the other over one connection to the proxy.

The curl of the distribution is older than that option; curl_cffi brings a newer libcurl.
"""

import json
import sys
from io import BytesIO

from curl_cffi import Curl, CurlOpt

HTTPS2 = 3  # CURLPROXY_HTTPS2

proxy, root, url = sys.argv[1:]
bodies = []
for _ in range(2):
    body, curl = BytesIO(), Curl()
    curl.setopt(CurlOpt.URL, url.encode())
    curl.setopt(CurlOpt.PROXY, proxy.encode())
    curl.setopt(CurlOpt.PROXYTYPE, HTTPS2)
    curl.setopt(CurlOpt.PROXY_CAINFO, root.encode())
    curl.setopt(CurlOpt.CAINFO, root.encode())
    curl.setopt(CurlOpt.WRITEDATA, body)
    curl.perform()
    curl.close()
    bodies.append(body.getvalue().decode())
print(json.dumps({"bodies": bodies, "connections": len(bodies)}))
