#include "dns-backend/feed/feed_server.hpp"

#include "base/http/problem.hpp"
#include "base/process/log.hpp"
#include "dns-backend/feed/codec.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace feed {

namespace {

constexpr std::size_t rows_a_message = 20000;
constexpr std::int64_t wait_ms_max = 60000;  // the server gives a handler 90 s
// No store has this name, so it stands for "I have nothing".
constexpr std::string_view no_history = "none";

using Followers = std::map<std::string, FollowerStatus>;

// Absent: 0. Not a whole number: nothing.
std::optional<std::int64_t> number(net::HttpRequest const& request, std::string const& key) {
  auto const found = request.query.find(key);
  if (found == request.query.end()) {
    return 0;
  }
  std::int64_t value = 0;
  char const* const end = found->second.data() + found->second.size();
  auto const [stopped, error] = std::from_chars(found->second.data(), end, value);
  if (error != std::errc() || stopped != end || value < 0) {
    return std::nullopt;
  }
  return value;
}

process::Gauge connected_gauge(process::Metrics& metrics, std::string const& follower) {
  return metrics.gauge("navigator_follower_connected", "1 while a request of the replica waits here",
                       {{"follower", follower}});
}
process::Gauge acknowledged_gauge(process::Metrics& metrics, std::string const& follower) {
  return metrics.gauge("navigator_follower_acknowledged_revision", "Revision that the replica has applied",
                       {{"follower", follower}});
}

// Keeps "polling" true while a request waits, however it ends: a client that disconnects cancels the handler by an
// exception, and a gate that believed it still there would wait for a site that is gone.
class Presence {
 public:
  Presence(std::shared_ptr<Followers> followers, std::string const& name, process::Gauge connected)
      : followers_(std::move(followers)), follower_((*followers_)[name]), connected_(connected) {
    follower_.name = name;
    ++follower_.requests;
    note();
  }
  ~Presence() {
    --follower_.requests;
    note();
  }
  Presence(Presence const&) = delete;
  Presence& operator=(Presence const&) = delete;
  [[nodiscard]] FollowerStatus& follower() const { return follower_; }

 private:
  void note() {
    follower_.polling = follower_.requests > 0;
    follower_.last_heard = std::chrono::steady_clock::now();
    connected_.set(follower_.polling ? 1 : 0);
  }
  std::shared_ptr<Followers> followers_;
  FollowerStatus& follower_;  // entries of the map are never removed
  process::Gauge connected_;
};

net::HttpResponse unreadable(base::Failure const& failure) {
  process::log::error("feed", "cannot read the changes: {}", failure.what());
  return net::HttpResponse::problem(500, "the store cannot be read", failure.what());
}

}  // namespace

FeedServer::FeedServer(store::Store& store, std::set<std::string> followers, process::Metrics& metrics)
    : store_(store), allowed_(std::move(followers)), metrics_(metrics), followers_(std::make_shared<Followers>()) {
  for (auto const& follower : allowed_) {
    connected_gauge(metrics_, follower).set(0);
    acknowledged_gauge(metrics_, follower).set(0);
  }
}

void FeedServer::add_routes(net::Router& router) {
  router.add("GET", "/v1/changes", [this](net::HttpRequest request) { return answer(std::move(request)); });
}

net::Task<net::HttpResponse> FeedServer::answer(net::HttpRequest request) {
  std::string const name = request.peer.is_unix ? std::string("unix") : request.peer.certificate_name;
  if (!request.peer.is_unix && !allowed_.contains(name)) {
    co_return net::HttpResponse::problem(403, "not a follower", "the certificate's name may not follow this store");
  }
  auto const since = number(request, "since");
  auto const wait_ms = number(request, "wait_ms");
  if (!since || !wait_ms) {
    co_return net::problem_of(400, "not a position", since ? "wait_ms" : "since", "is no whole number",
                              "since and wait_ms are whole numbers from 0 up");
  }
  auto const given = request.query.find("history");
  std::string const history(given == request.query.end() || given->second.empty() ? no_history : given->second);
  bool const first = !followers_->contains(name);
  Presence const presence(followers_, name, connected_gauge(metrics_, name));
  auto const position = co_await store_.position();
  if (!position) {
    co_return unreadable(position.error());
  }
  // A number from another history says nothing about this one.
  bool const ours = history == position->history && *since <= position->revision;
  if (first || !ours) {
    process::log::info("feed", "'{}' follows from revision {}{}", name, *since, ours ? "" : " of another history");
  }
  presence.follower().acknowledged = ours ? *since : 0;
  acknowledged_gauge(metrics_, name).set(static_cast<double>(presence.follower().acknowledged));
  if (ours && acknowledged_) {
    acknowledged_();
  }
  std::chrono::milliseconds const wait(std::min(*wait_ms, wait_ms_max));
  auto changes = co_await store_.changes(*since, rows_a_message, wait, history);
  if (!changes) {
    co_return unreadable(changes.error());
  }
  auto response = net::HttpResponse::json(200, to_json(*changes));
  response.headers.set("Sovereign-Revision", std::to_string(std::max(store_.revision(), changes->to)));
  co_return response;
}

boost::json::array FeedServer::describe() const {
  boost::json::array out;
  auto const now = std::chrono::steady_clock::now();
  for (auto const& [name, follower] : *followers_) {
    auto const silent = std::chrono::duration_cast<std::chrono::milliseconds>(now - follower.last_heard);
    out.push_back(boost::json::object{{"name", name},
                                      {"acknowledged", follower.acknowledged},
                                      {"behind", store_.revision() - follower.acknowledged},
                                      {"polling", follower.polling},
                                      {"silent_ms", follower.polling ? 0 : silent.count()}});
  }
  return out;
}

}  // namespace feed
