#include "base/probe/http/redirect.hpp"

#include "base/net/task.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <charconv>

namespace probe {
namespace {

namespace urls = boost::urls;
constexpr std::size_t location_max = 2048;

unsigned short usual_port(bool tls) {
  return tls ? 443 : 80;
}

base::Failure refuse(std::string_view location, std::string const& why) {
  constexpr std::size_t shown_max = 100;
  std::string shown(location.substr(0, shown_max));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return base::fail(net::errc::bad_message, "redirected to '" + shown + "', which " + why);
}

bool is_host(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
           c == '_' || c == ':';
  });
}

// 0 when it is none. Boost.URL 1.81 wraps a number that is too large.
unsigned short port_of(std::string_view text) {
  unsigned short port = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() ? port : 0;
}

std::string path_of(urls::url_view const& view) {
  std::string path(view.encoded_path());
  // RFC 3986 5.2.4: nothing is above the root. Boost.URL 1.81 leaves these.
  while (path.starts_with("/../")) {
    path.erase(0, 3);
  }
  if (path.empty() || path == "/..") {
    path = "/";
  }
  if (view.has_query()) {
    path += "?" + std::string(view.encoded_query());
  }
  return path;
}

}  // namespace

std::string host_header(Origin const& origin) {
  std::string const host = origin.host.find(':') != std::string::npos ? "[" + origin.host + "]" : origin.host;
  return origin.port == usual_port(origin.tls) ? host : host + ":" + std::to_string(origin.port);
}

std::string url_of(Target const& target) {
  return (target.origin.tls ? "https://" : "http://") + host_header(target.origin) + target.path;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

base::Result<Target> redirected(Target const& from, std::string_view location) {
  if (location.size() > location_max) {
    return refuse(location, "is longer than 2,048 characters");
  }
  auto const reference = urls::parse_uri_reference(location);
  if (!reference) {
    return refuse(location, "is no URL");
  }
  // A path from a configuration may hold what no URL may: then only its root is the base.
  std::string const asked = url_of(from);
  std::string const root = url_of({from.origin, "/"});
  auto base = urls::parse_uri(asked);
  if (!base) {
    base = urls::parse_uri(root);
  }
  urls::url resolved;
  if (!base || !urls::resolve(*base, *reference, resolved)) {
    return refuse(location, "cannot be resolved");
  }
  bool const tls = resolved.scheme_id() == urls::scheme::https;
  if (!tls && resolved.scheme_id() != urls::scheme::http) {
    return refuse(location, "is neither http nor https");
  }
  std::string const host(resolved.host_address());
  if (!is_host(host)) {
    return refuse(location, "names no host");
  }
  Target out{{tls, host, usual_port(tls)}, path_of(resolved)};
  if (resolved.has_port() && !resolved.port().empty()) {
    out.origin.port = port_of(resolved.port());
  }
  // Boost.URL 1.81 reads "host:12x/" as port 12 and a path that begins with x.
  if (out.origin.port == 0 || out.path.front() != '/') {
    return refuse(location, "names no port between 1 and 65535");
  }
  return out;
}

std::string method_after(int status, std::string const& method) {
  bool const becomes_get =
      (status == 303 && method != "HEAD") || ((status == 301 || status == 302) && method == "POST");
  return becomes_get ? "GET" : method;
}

}  // namespace probe
