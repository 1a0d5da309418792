#include "base/http_client/http_client.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>

namespace net {
namespace {

base::Failure bad(std::string_view text, std::string const& reason) {
  // Never the text itself past a sane length: it may come from anywhere and goes to logs.
  return base::fail(errc::bad_message, "'" + std::string(text.substr(0, 200)) + "' is not a usable URL: " + reason);
}

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

// "unix:/path/to/socket:/target": the target begins at the first ":/" after the path's first character.
base::Result<Url> parse_unix(std::string_view text) {
  std::string_view const rest = text.substr(5);
  if (rest.empty() || rest.front() != '/') {
    return bad(text, "unix: must be followed by an absolute path");
  }
  auto const colon = rest.find(":/");
  std::string const path(rest.substr(0, colon));
  constexpr std::size_t sun_path_max = 107;
  if (path.size() < 2 || path.size() > sun_path_max) {
    return bad(text, "a socket path has 2 to 107 characters");
  }
  return Url{"unix", path, "", colon == std::string_view::npos ? "/" : std::string(rest.substr(colon + 1))};
}

bool is_host(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_' || c == ':';
  });
}

base::Result<Url> parse_web(std::string_view text) {
  auto const parsed = boost::urls::parse_uri(text);
  if (!parsed) {
    return bad(text, parsed.error().message());
  }
  auto const& view = *parsed;
  if (view.scheme_id() != boost::urls::scheme::http && view.scheme_id() != boost::urls::scheme::https) {
    return bad(text, "the scheme must be http, https or unix");
  }
  if (view.has_userinfo()) {
    return bad("(hidden)", "no user name or password belongs in it");
  }
  Url out;
  out.scheme = view.scheme_id() == boost::urls::scheme::https ? "https" : "http";
  if (view.host_type() == boost::urls::host_type::ipvfuture) {
    return bad(text, "unknown kind of address");
  }
  out.host = std::string(view.host_address());
  std::transform(out.host.begin(), out.host.end(), out.host.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  // Boost.URL 1.81 reads "host:12x/" as port 12 and a path that begins with x.
  bool const rooted = view.encoded_path().empty() || view.encoded_path().front() == '/';
  if (!is_host(out.host) || !rooted) {
    return bad(text, "it names no host and port that could be asked");
  }
  out.port = out.scheme == "https" ? "443" : "80";
  if (view.has_port() && !view.port().empty()) {
    if (view.port_number() == 0) {
      return bad(text, "the port is not between 1 and 65535");
    }
    out.port = std::to_string(view.port_number());
  }
  out.target = std::string(view.encoded_path());
  if (out.target.empty()) {
    out.target = "/";
  }
  if (view.has_query()) {
    out.target += "?" + std::string(view.encoded_query());
  }
  return out;
}

}  // namespace

std::string Url::origin() const {
  if (scheme == "unix") {
    return "unix:" + host;
  }
  bool const ipv6 = host.find(':') != std::string::npos;
  return scheme + "://" + (ipv6 ? "[" + host + "]" : host) + ":" + port;
}

base::Result<Url> parse_url(std::string_view text) {
  constexpr std::size_t length_max = 8192;
  if (text.size() > length_max) {
    return bad(text, "longer than 8192 characters");
  }
  if (!printable(text)) {
    return bad("(hidden)", "it holds a space or a control character");
  }
  if (text.starts_with("unix:")) {
    return parse_unix(text);
  }
  return parse_web(text);
}

}  // namespace net
