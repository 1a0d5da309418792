// HTTP messages as values, the router, and who is asking. No Beast type appears in a header.
//
// Threads: plain values; a Router is immutable once its server listens and is then read by the control loop only.
#pragma once

#include "base/net/task.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace net {

// Who sent a request. A unix peer is an administrator (the socket's mode decides who may connect); a TLS peer that
// presented a certificate of the accepted CA has its subject alternative DNS name here.
struct Peer {
  bool is_unix = false;
  std::string address;                   // "198.51.100.7:41234" or the socket path
  std::string certificate_name;          // first DNS name of the verified client certificate; empty without one
  std::string certificate_key;           // SHA-256 of its SubjectPublicKeyInfo (DER), lower-case hex
  std::string certificate_serial = {};   // lower-case hex without leading zeros
  std::int64_t certificate_until_s = 0;  // its end, since the epoch
  std::string token;  // id of the bearer token, set by whoever looked it up (Router::around); else empty
};

struct Headers {
  // Case-insensitive; replaces. A header that may come several times is appended to `items`.
  void set(std::string name, std::string value);
  [[nodiscard]] std::string_view get(std::string_view name) const;               // the last one; empty when absent
  [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;  // in their order
  std::vector<std::pair<std::string, std::string>> items;
};

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";  // origin form, percent-encoded, with the query
  Headers headers;
  std::string body;

  // Filled by the server only.
  Peer peer;
  std::string path;                               // decoded path
  std::map<std::string, std::string> query;       // decoded
  std::map<std::string, std::string> parameters;  // "{name}" of the route, decoded
};

struct HttpResponse {
  int status = 200;
  Headers headers;
  std::string body;
  // Set: this is the body, and `body` is not looked at. For what many clients get at once: it is sent from where it is,
  // and is held until it was sent.
  std::shared_ptr<std::string const> shared_body = {};

  [[nodiscard]] static HttpResponse json(int status, std::string body);
  [[nodiscard]] static HttpResponse text(int status, std::string body);
  // RFC 9457 problem details.
  [[nodiscard]] static HttpResponse problem(int status, std::string title, std::string detail);
};

using Handler = std::function<Task<HttpResponse>(HttpRequest)>;

// A route as it was added.
struct RouteName {
  std::string method;
  std::string pattern;
};

// Stands around every handler: it may answer itself, or call the handler and look at what came of it.
using Around = std::function<Task<HttpResponse>(HttpRequest, RouteName, Handler)>;

// What a route asks for beyond the server's limits; 0: the server's. Given to peers that are known before anything is
// read (unix, or a verified certificate), so that no stranger fills the memory.
struct RouteLimits {
  std::size_t body = 0;
  std::chrono::milliseconds time{0};  // for the handler
};

// Routes "METHOD /v1/tenants/{name}" to handlers. Unknown path: 404; known path, other method: 405 with Allow; a path
// that is no valid percent-encoding: 400. HEAD goes to GET's handler (the server leaves the body out). Where a literal
// segment and a parameter both match, the literal one wins. A handler that throws yields 500 and a log line; a
// cancelled one goes on throwing.
class Router {
 public:
  // `pattern` begins with '/'; "{name}" stands for one non-empty segment.
  void add(std::string method, std::string pattern, Handler handler, RouteLimits limits = {});
  // One for all routes, those added later too; replaces the former one. What it throws is answered as a handler's.
  void around(Around around) { around_ = std::move(around); }
  // In the order they were added.
  [[nodiscard]] std::vector<RouteName> routes() const;
  // Of the route that dispatch() would take; all 0 when there is none.
  [[nodiscard]] RouteLimits limits(HttpRequest const& request) const;
  // Fills the request's path, query and parameters. The Router is not used after the first suspension.
  [[nodiscard]] Task<HttpResponse> dispatch(HttpRequest request) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> segments;
    Handler handler;
    RouteLimits limits;
    std::string pattern = {};
  };
  [[nodiscard]] Route const* best(std::string const& method, std::vector<std::string> const& segments) const;
  std::vector<Route> routes_;
  Around around_;
};

// Percent-decoding of one path segment or query word (RFC 3986); false when `text` is malformed.
[[nodiscard]] bool percent_decode(std::string_view text, std::string& out);
// Everything but unreserved characters encoded: for names put into a path or query.
[[nodiscard]] std::string percent_encode(std::string_view text);

}  // namespace net
