#include "dns-backend/api/access.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace api {
namespace {

// A zone of a million names takes the primary minutes; the server's own limits end everything else earlier.
constexpr std::chrono::milliseconds deadline{600000};
constexpr char const* hop_header = "Navigator-Forwarded";

// What follows the scheme of an Authorization header; nothing when it is of another one.
std::optional<std::string_view> behind(std::string_view scheme, std::string_view value) {
  bool const named = value.size() >= scheme.size() &&
                     std::equal(scheme.begin(), scheme.end(), value.begin(),
                                [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + ('a' - 'A') : b); });
  if (!named) {
    return std::nullopt;
  }
  std::size_t const begin = value.find_first_not_of(' ', scheme.size());
  return begin == std::string_view::npos ? std::string_view() : value.substr(begin);
}

// RFC 7617: base64 of "user:password"; "-", which is no token, when that is not what it is.
std::string password_of(std::string_view credentials) {
  constexpr std::size_t most = 4096;
  if (credentials.empty() || credentials.size() > most || credentials.size() % 4 != 0) {
    return "-";
  }
  std::string text(credentials.size() / 4 * 3, '\0');
  auto const* const from = reinterpret_cast<unsigned char const*>(credentials.data());
  auto* const to = reinterpret_cast<unsigned char*>(text.data());
  int const size = EVP_DecodeBlock(to, from, static_cast<int>(credentials.size()));
  if (size < 0) {
    return "-";
  }
  auto const padding = static_cast<std::size_t>(std::ranges::count(credentials.substr(credentials.size() - 2), '='));
  text.resize(static_cast<std::size_t>(size) - padding);
  auto const colon = text.find(':');
  return colon == std::string::npos || colon + 1 == text.size() ? "-" : text.substr(colon + 1);
}

// The primary said nothing. Whether it did something is certain only where it was never spoken to.
net::HttpResponse unanswered(std::string const& primary_url, base::Failure const& error, bool changes) {
  static std::array<net::errc, 3> const unheard{net::errc::refused, net::errc::unresolved, net::errc::certificate};
  bool const nothing = !changes || std::ranges::any_of(unheard, [&error](net::errc one) { return error.code == one; });
  std::string const told =
      nothing
          ? "this is a replica, nothing was written: its primary " + primary_url + " takes every write, and " +
                error.what() + "; run the command there, or again when it answers"
          : "this is a replica; its primary " + primary_url + " got the request and did not answer: " + error.what() +
                "; it may have been done: look at what is there, or repeat it with the same Idempotency-Key";
  return net::HttpResponse::problem(502, nothing ? "the primary cannot be asked" : "the primary did not answer", told);
}

}  // namespace

bool is_administrator(Dependencies const& dependencies, net::HttpRequest const& request) {
  // Who shows a token is who it says, whatever the connection is: a replica passes tenants' requests on under its own
  // certificate.
  if (!request.peer.token.empty()) {
    return dependencies.admin_token && dependencies.admin_token(request.peer.token);
  }
  if (!bearer(request).empty()) {
    return false;
  }
  return request.peer.is_unix ||
         (!request.peer.certificate_name.empty() && dependencies.admins.contains(request.peer.certificate_name));
}

std::string bearer(net::HttpRequest const& request) {
  std::string_view const value = request.headers.get("Authorization");
  // An empty token is a wrong one, not none.
  if (auto const shown = behind("bearer ", value)) {
    return shown->empty() ? "-" : std::string(*shown);
  }
  auto const basic = request.path == register_path ? behind("basic ", value) : std::nullopt;
  return basic ? password_of(*basic) : "";
}

net::Task<net::HttpResponse> forward(Dependencies const& dependencies, net::HttpRequest request) {
  // Two replicas that name each other as primary must not play tennis.
  if (!request.headers.get(hop_header).empty()) {
    co_return net::HttpResponse::problem(508, "forwarded in a circle", "this replica's primary is a replica itself");
  }
  net::HttpRequest onward;
  onward.method = request.method;
  onward.body = request.body;
  onward.headers.set("Content-Type", std::string(request.headers.get("Content-Type")));
  onward.headers.set(hop_header, "1");
  // "address:port", the address perhaps in brackets; the audit log and allowfrom of accounts want to know.
  std::string client = request.peer.is_unix ? "" : request.peer.address.substr(0, request.peer.address.rfind(':'));
  if (client.starts_with('[') && client.ends_with(']')) {
    client = client.substr(1, client.size() - 2);
  }
  if (!client.empty()) {
    onward.headers.set(client_header, client);
  }
  for (char const* const name : {"Authorization", "If-Match", "Idempotency-Key", "X-Api-User", "X-Api-Key"}) {
    if (std::string_view const value = request.headers.get(name); !value.empty()) {
      onward.headers.set(name, std::string(value));
    }
  }
  auto answer =
      co_await dependencies.primary->send(dependencies.primary_url + request.target, std::move(onward), deadline);
  if (!answer) {
    co_return unanswered(dependencies.primary_url, answer.error(), request.method != "GET" && request.method != "HEAD");
  }
  // Only what describes the answer is meant for the asker; the other headers belonged to that connection.
  net::HttpResponse response;
  response.status = answer->status;
  for (char const* const name : {"Content-Type", "ETag", "Location", "Retry-After", "Idempotency-Replayed",
                                 "Cache-Control", "WWW-Authenticate", "Request-Id"}) {
    if (std::string_view const value = answer->headers.get(name); !value.empty()) {
      response.headers.set(name, std::string(value));
    }
  }
  response.body = std::move(answer->body);
  co_return response;
}

std::vector<dns::OwnedRRset> content_of(store::Zone const& zone) {
  std::vector<dns::OwnedRRset> rrsets;
  zone.entries.for_each([&rrsets](store::EntryPtr const& entry) {
    dns::Name const owner = entry->name();
    for (dns::RRset const& rrset : entry->rrsets) {
      rrsets.push_back({owner, rrset});
    }
  });
  return rrsets;
}

}  // namespace api
