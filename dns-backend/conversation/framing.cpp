#include "dns-backend/conversation/framing.hpp"

#include "base/http/http_parse.hpp"
#include "dns-backend/protocol/request.hpp"

#include <algorithm>

namespace connector {
namespace {

// The value of `key` in a form (application/x-www-form-urlencoded): '+' is a blank.
std::optional<std::string> form_value(std::string_view form, std::string_view key) {
  while (!form.empty()) {
    std::string_view field = form.substr(0, form.find('&'));
    form.remove_prefix(std::min(form.size(), field.size() + 1));
    if (field.starts_with(key) && field.substr(key.size()).starts_with('=')) {
      std::string blanks(field.substr(key.size() + 1));
      std::replace(blanks.begin(), blanks.end(), '+', ' ');
      std::string out;
      return net::percent_decode(blanks, out) ? std::optional<std::string>(std::move(out)) : std::nullopt;
    }
  }
  return std::nullopt;
}

// "lookup" of "/dns/lookup.php": the last segment up to a suffix.
std::string_view method_of(std::string_view target) {
  target = target.substr(0, target.find('?'));
  target.remove_prefix(target.rfind('/') + 1);
  auto const is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return target.substr(
      0, static_cast<std::size_t>(std::find_if_not(target.begin(), target.end(), is_letter) - target.begin()));
}

base::Result<std::string> request_of(net::HttpRequest& http) {
  if (!http.headers.get("Origin").empty()) {
    return base::fail(remote::errc::bad_request,
                      "a browser's request, from " + std::string(http.headers.get("Origin")));
  }
  if (http.method != "POST" || http.body.empty()) {
    return base::fail(remote::errc::bad_request,
                      http.method + " " + http.target.substr(0, 100) + ": PowerDNS must be told post=1,post_json=1");
  }
  if (!http.headers.get("Content-Type").starts_with("application/x-www-form-urlencoded")) {
    return std::move(http.body);
  }
  auto const parameters = form_value(http.body, "parameters");
  std::string_view const method = method_of(http.target);
  if (!parameters || method.empty()) {
    return base::fail(remote::errc::bad_request, "a form without parameters, or a target without a method");
  }
  return "{\"method\":\"" + std::string(method) + "\",\"parameters\":" + *parameters + "}";
}

base::Result<std::optional<Cut>> cut_line(std::string_view bytes) {
  std::size_t const newline = bytes.find('\n');
  if (newline != std::string_view::npos) {
    return std::optional<Cut>({bytes.substr(0, newline), newline + 1, true});
  }
  if (std::size_t const limit = remote::limit_of(bytes); bytes.size() >= limit) {
    return base::fail(remote::errc::too_large, "a request of more than " + std::to_string(limit) + " octets");
  }
  return std::optional<Cut>();
}

}  // namespace

base::Result<std::optional<Cut>> cut_request(Framing framing, std::string_view bytes, std::string& body) {
  if (framing == Framing::line) {
    return cut_line(bytes);
  }
  auto parsed = net::parse_request(bytes, remote::content_limit);
  if (!parsed) {
    return parsed.error();
  }
  if (!*parsed) {
    return std::optional<Cut>();
  }
  auto request = request_of((*parsed)->request);
  if (!request) {
    return request.error();
  }
  body = std::move(*request);
  return std::optional<Cut>({body, (*parsed)->octets, (*parsed)->keep_alive});
}

std::string reply_head(Framing framing, std::string_view reply, bool keep_alive) {
  if (framing == Framing::line) {
    return {};
  }
  std::string head = "HTTP/1.1 200 OK\r\nContent-Type: text/javascript; charset=utf-8\r\nContent-Length: ";
  head += std::to_string(reply.size());
  head += keep_alive ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n";
  return head;
}

}  // namespace connector
