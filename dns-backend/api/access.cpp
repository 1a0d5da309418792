#include "dns-backend/api/access.hpp"

namespace api {
namespace {

// A zone of a million names takes the primary minutes; the server's own limits end everything else earlier.
constexpr std::chrono::milliseconds deadline{600000};
constexpr char const* hop_header = "Navigator-Forwarded";

}  // namespace

bool is_administrator(Dependencies const& dependencies, net::HttpRequest const& request) {
  return request.peer.is_unix ||
         (!request.peer.certificate_name.empty() && dependencies.admins.contains(request.peer.certificate_name));
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
  auto answer =
      co_await dependencies.primary->send(dependencies.primary_url + request.target, std::move(onward), deadline);
  if (!answer) {
    co_return net::HttpResponse::problem(
        502, "the primary cannot be asked",
        "this is a replica, nothing was written: its primary " + dependencies.primary_url + " takes every write, and " +
            answer.error().what() + "; run the command there, or again when it answers");
  }
  // Only what describes the body is meant for the asker; the other headers belonged to that connection.
  net::HttpResponse response;
  response.status = answer->status;
  response.headers.set("Content-Type", std::string(answer->headers.get("Content-Type")));
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
