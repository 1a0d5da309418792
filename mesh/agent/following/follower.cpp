#include "mesh/agent/following/follower.hpp"

#include "base/gzip/gzip.hpp"
#include "base/http_client/http_client.hpp"
#include "base/net/backoff.hpp"
#include "base/process/log.hpp"
#include "base/process/service.hpp"
#include "mesh/agent/following/renewal.hpp"
#include "mesh/agent/following/revocations.hpp"
#include "mesh/enrolment/enroller.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <optional>
#include <random>

namespace agent {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds poll_wait{25000};
constexpr milliseconds poll_deadline{40000};
constexpr milliseconds first_backoff{500};
constexpr milliseconds last_backoff{15000};
constexpr milliseconds report_pause{10000};
constexpr milliseconds report_deadline{5000};

std::int64_t wall_clock_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

base::Failure bad_status(net::HttpResponse const& answer) {
  std::string text = "status " + std::to_string(answer.status);
  if (!answer.body.empty()) {
    text += ": " + answer.body.substr(0, 300);
  }
  return base::fail(net::errc::bad_message, text);
}

}  // namespace

std::optional<std::int64_t> clock_ahead_s(std::string_view date, std::int64_t now_s) {
  std::tm parts{};
  std::string const text(date);
  char const* const end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return end == nullptr ? std::nullopt : std::optional(now_s - static_cast<std::int64_t>(::timegm(&parts)));
}

std::vector<std::string> twins_in(std::string_view report_answer) {
  std::vector<std::string> out;
  boost::system::error_code error;
  auto const value = boost::json::parse(report_answer, error);
  auto const* const list = error || !value.is_object() ? nullptr : value.get_object().if_contains("twins");
  if (list != nullptr && list->is_array()) {
    for (auto const& one : list->get_array()) {
      if (one.is_string()) {
        out.emplace_back(one.get_string());
      }
    }
  }
  return out;
}

struct Follower::State {
  State(net::asio::any_io_executor its_executor, FollowerSettings its_settings, Sink its_sink, Reporter its_reporter)
      : executor(std::move(its_executor)),
        settings(std::move(its_settings)),
        sink(std::move(its_sink)),
        reporter(std::move(its_reporter)) {}

  net::asio::any_io_executor executor;
  FollowerSettings settings;
  Sink sink;
  Reporter reporter;
  FollowerStatus status;
  std::unique_ptr<net::HttpClient> client;
  std::int64_t since = 0;
  Renewal renewal;
  std::minstd_rand random{std::random_device{}()};
  std::string const mark = std::to_string(std::random_device{}()) + "-" + std::to_string(std::random_device{}());
  std::int64_t examined = 0;
  Revocations const revocations{settings.state_directory};
  bool fetching = false;  // the list of revoked certificates
  bool stopped = false;

  [[nodiscard]] std::unique_ptr<net::HttpClient> make_client() const {
    enrolment::NodeFiles const files(settings.state_directory);
    net::HttpClientSettings http;
    http.tls.ca_file = files.ca;
    http.tls.identity = net::Identity{files.certificate, files.tls_key};
    http.tls.server_name = settings.controller_name;
    return std::make_unique<net::HttpClient>(executor, std::move(http));
  }

  // What the files say of the certificate and of what issued it, which is behind it or is the root.
  base::Result<internal_ca::Validity> look_at_certificate() {
    enrolment::NodeFiles const files(settings.state_directory);
    auto const pem = process::read_file(files.certificate, 65536);
    auto own = pem ? internal_ca::certificate_validity(*pem) : pem.error();
    if (!own) {
      return own;
    }
    auto issuer = internal_ca::certificate_validity(*pem, 1);
    if (!issuer) {
      auto const root = process::read_file(files.ca, 65536);
      issuer = root ? internal_ca::certificate_validity(*root) : root.error();
    }
    status.certificate_until_s = own->until_s;
    status.issuer = issuer ? *issuer : internal_ca::Validity();
    return own;
  }

  // At half of the lifetime, so that a controller may be away for as long as a day and a half; and for ever after, but
  // then the keys are shown instead.
  static net::Task<void> renew_when_due(std::shared_ptr<State> self) {
    enrolment::NodeFiles const files(self->settings.state_directory);
    auto const present = self->look_at_certificate();
    if (!present) {
      co_return;  // the poll fails with a better sentence
    }
    std::error_code ignored;
    bool const pinned = std::filesystem::exists(files.pin, ignored);  // else the renewal brings the key to pin
    auto const step = self->renewal.due(*present, pinned, wall_clock_s());
    if (step == Renewal::Step::none) {
      co_return;
    }
    bool const by_keys = step == Renewal::Step::by_keys;
    enrolment::JoinSettings settings;
    settings.controller_url = self->settings.controller_url;
    settings.controller_name = self->settings.controller_name;
    settings.state_directory = self->settings.state_directory;
    settings.node = self->settings.node;
    auto const renewed = co_await enrolment::renew(std::move(settings),
                                                   by_keys ? enrolment::Shown::keys : enrolment::Shown::certificate);
    if (renewed) {
      self->renewal.succeeded(wall_clock_s());
    } else {
      self->renewal.failed(renewed.error().what(), wall_clock_s(), static_cast<std::uint32_t>(self->random()));
    }
    self->status.renewal_failure = self->renewal.failure();
    if (!renewed) {
      process::log::warning("agent", "renewing the node's certificate failed: {}", renewed.error().what());
      co_return;
    }
    process::log::info("agent", "the node's certificate was renewed{}",
                       by_keys ? ": it had ended, and this node showed the keys it joined with" : "");
    static_cast<void>(self->look_at_certificate());
    if (auto const loaded = self->client->reload(); !loaded) {
      process::log::warning("agent", "the renewed certificate does not load: {}", loaded.error().what());
    }
  }

  static void examine_when_asked(std::shared_ptr<State> const& self, std::string_view header) {
    std::int64_t number = 0;
    std::from_chars(header.data(), header.data() + header.size(), number);
    if (number != 0 && number != self->examined && self->settings.examine) {
      self->examined = number;
      net::spawn(self->executor, "examination", examine(self, number));
    }
  }

  static net::Task<void> examine(std::shared_ptr<State> self, std::int64_t number) {
    auto findings = co_await self->settings.examine();
    net::HttpRequest request;
    request.method = "POST";
    request.headers.set("Content-Type", "application/json");
    request.body = std::move(findings);
    auto const url = self->settings.controller_url + "/v1/findings?number=" + std::to_string(number);
    auto const answer = co_await self->client->send(url, std::move(request), report_deadline);
    if (!answer) {
      process::log::debug("agent", "the findings did not arrive: {}", answer.error().what());
    }
  }

  static void fetch_revocations(std::shared_ptr<State> const& self, std::string_view number) {
    if (!self->fetching && self->revocations.differs(number)) {
      self->fetching = true;
      net::spawn(self->executor, "revoked certificates", fetch(self));
    }
  }

  static net::Task<void> fetch(std::shared_ptr<State> self) {
    net::HttpRequest request;
    auto const answer =
        co_await self->client->send(self->settings.controller_url + "/v1/crl", std::move(request), report_deadline);
    base::Result<void> taken;
    if (!answer) {
      taken = answer.error();
    } else {
      taken = answer->status == 200 ? self->revocations.take(answer->body, wall_clock_s()) : bad_status(*answer);
    }
    self->fetching = false;  // what failed is tried again after the next poll
    self->status.revocations_failure = taken ? std::string() : taken.error().what();
    if (!taken) {
      process::log::warning("agent", "the list of revoked certificates here is not the controller's: {}",
                            self->status.revocations_failure);
    }
  }

  // nullopt: nothing new.
  static net::Task<base::Result<std::optional<signed_world::SignedWorld>>> poll(std::shared_ptr<State> self) {
    // Who does not know yet whether the controller is there wants to know, and not to wait for news.
    auto const wait = self->status.connected ? poll_wait : milliseconds(0);
    auto const url = self->settings.controller_url + "/v1/world?since=" + std::to_string(self->since) +
                     "&wait_ms=" + std::to_string(wait.count()) +
                     (self->settings.examine ? "&examined=" + std::to_string(self->examined) : "");
    net::HttpRequest request;
    request.headers.set("Accept-Encoding", "gzip");
    auto const answer = co_await self->client->send(url, std::move(request), poll_deadline);
    if (!answer) {
      co_return answer.error();
    }
    fetch_revocations(self, answer->headers.get("Privateer-Revocations"));
    self->status.clock_ahead_s = clock_ahead_s(answer->headers.get("Date"), wall_clock_s());
    examine_when_asked(self, answer->headers.get("Privateer-Examine"));
    if (answer->status == 204 || answer->status == 304) {
      co_return std::optional<signed_world::SignedWorld>();
    }
    if (answer->status == 409) {
      auto const shown = co_await show_newest(self, answer->body);
      co_return shown ? base::Result<std::optional<signed_world::SignedWorld>>(std::nullopt) : shown.error();
    }
    if (answer->status != 200) {
      co_return bad_status(*answer);
    }
    bool const small = answer->headers.get("Content-Encoding") == "gzip";
    auto const body = small ? gzip::decompress(answer->body, 2 * plan::world_size_limit) : answer->body;
    auto world = body ? signed_world::parse_signed_world(*body) : body.error();
    if (!world) {
      co_return world.error();
    }
    co_return std::optional<signed_world::SignedWorld>(std::move(*world));
  }

  // The controller says that it knows nothing of what this node has seen.
  static net::Task<base::Result<void>> show_newest(std::shared_ptr<State> self, std::string said) {
    boost::system::error_code bad;
    auto const value = boost::json::parse(said, bad);
    auto const* revision = !bad && value.is_object() ? value.get_object().if_contains("revision") : nullptr;
    if (revision == nullptr || !revision->is_int64()) {
      co_return base::fail(net::errc::bad_message, "status 409: " + said.substr(0, 300));
    }
    self->status.behind = revision->get_int64();
    auto const at = "it is at revision " + std::to_string(revision->get_int64()) + " and knows nothing of " +
                    std::to_string(self->since) + ", which this node has seen: its store is an older copy";
    self->failed(at);
    auto newest = self->settings.newest();
    if (newest.world.signature.empty()) {
      self->since = 0;  // nothing that it could learn from
      co_return base::fail(net::errc::bad_message, at + ". This node has no signed world to show it");
    }
    net::HttpRequest request;
    request.method = "POST";
    request.headers.set("Content-Type", "application/json");
    request.body = signed_world::to_json(newest.world);
    auto const url = self->settings.controller_url + "/v1/world";
    auto const answer = co_await self->client->send(url, std::move(request), poll_deadline);
    if (!answer || answer->status != 200) {
      co_return base::fail(net::errc::bad_message, at + ". What this node showed it is not taken: " +
                                                       (answer ? bad_status(*answer).what() : answer.error().what()));
    }
    process::log::warning("agent", "the controller was shown revision {}, and goes on above it", newest.revision);
    // What was seen beyond that (and refused here) nobody can show it.
    self->since = std::min(self->since, newest.revision);
    co_return base::Result<void>();
  }

  void failed(std::string const& what) {
    if (status.failure != what) {
      process::log::warning("agent", "the controller at {} gives no world: {}", settings.controller_url, what);
    }
    status.connected = false;
    status.failure = what;
    status.twins.clear();  // nobody hears them now
  }

  // A report that does not arrive is replaced by the next one: its failure is the poll's to tell.
  static net::Task<void> send_reports(std::shared_ptr<State> self) {
    for (;;) {
      bool const waited = co_await net::wait_for(report_pause);
      if (!waited || self->stopped) {
        break;
      }
      if (!self->status.connected) {
        continue;
      }
      net::HttpRequest request;
      request.method = "POST";
      request.headers.set("Content-Type", "application/json");
      request.headers.set("Privateer-Process", self->mark);
      request.body = self->reporter();
      auto const url = self->settings.controller_url + "/v1/report";
      auto const answer = co_await self->client->send(url, std::move(request), report_deadline);
      if (!answer) {
        process::log::debug("agent", "the report did not arrive: {}", answer.error().what());
      } else {
        self->status.twins = twins_in(answer->body);
      }
    }
  }

  // False when the answer is no use: not the controller's word, or the controller went back behind what was seen.
  bool take(std::optional<signed_world::SignedWorld> world) {
    if (!world) {
      return true;
    }
    auto const revision = sink(*std::move(world));
    if (!revision) {
      failed(revision.error().what());
      return false;
    }
    if (*revision <= since) {
      failed("it is at revision " + std::to_string(*revision) + ", this node has seen " + std::to_string(since));
      return false;
    }
    since = *revision;
    return true;
  }

  static net::Task<void> run(std::shared_ptr<State> self) {
    net::Backoff backoff(first_backoff, last_backoff);
    while (!self->stopped) {
      co_await renew_when_due(self);
      auto answer = co_await poll(self);
      if (self->stopped) {
        break;
      }
      bool good = answer.has_value();
      if (good) {
        good = self->take(std::move(*answer));
      } else {
        self->failed(answer.error().what());
      }
      if (good) {
        self->status.connected = true;
        self->status.behind.reset();
        self->status.answered = std::chrono::steady_clock::now();
        self->status.failure.clear();
        self->status.last_answer_s = wall_clock_s();
        backoff.succeeded();
        continue;
      }
      bool const waited = co_await net::wait_for(backoff.next(static_cast<std::uint32_t>(self->random())));
      if (!waited) {
        break;
      }
    }
  }
};

Follower::Follower(net::asio::any_io_executor executor, FollowerSettings settings, Sink sink, Reporter reporter)
    : state_(std::make_shared<State>(std::move(executor), std::move(settings), std::move(sink), std::move(reporter))) {}

Follower::~Follower() {
  state_->stopped = true;
  state_->sink = [](signed_world::SignedWorld const&) { return base::Result<std::int64_t>(0); };
  state_->reporter = [] { return std::string("{}"); };
}

void Follower::start(std::int64_t since) {
  state_->since = since;
  if (!state_->settings.controller_url.empty()) {
    state_->client = state_->make_client();
    net::spawn(state_->executor, "reporting to the controller", State::send_reports(state_));
    net::spawn(state_->executor, "following the controller", State::run(state_));
  }
}

namespace {

net::Task<base::Result<std::string>> send(std::shared_ptr<Follower::State> self, std::string url,
                                          net::HttpRequest request) {
  auto const answer = co_await self->client->send(url, std::move(request), report_deadline);
  if (!answer) {
    co_return answer.error();
  }
  if (answer->status / 100 != 2) {
    co_return bad_status(*answer);
  }
  co_return answer->body;
}

}  // namespace

net::Task<base::Result<std::string>> Follower::ask(std::string method, std::string path, std::string body) {
  net::HttpRequest request;
  request.method = std::move(method);
  if (!body.empty()) {
    request.headers.set("Content-Type", "application/json");
    request.body = std::move(body);
  }
  return send(state_, state_->settings.controller_url + path, std::move(request));
}

namespace {

net::Task<bool> reach(std::shared_ptr<Follower::State> self) {
  auto const client = self->make_client();
  auto const url = self->settings.controller_url + "/v1/join";  // its greeting: small, however large the mesh is
  net::HttpRequest request;
  auto const answer = co_await client->send(url, std::move(request), report_deadline);
  co_return answer && answer->status / 100 == 2;
}

}  // namespace

net::Task<bool> Follower::reach() {
  return agent::reach(state_);
}

FollowerStatus const& Follower::status() const {
  return state_->status;
}

}  // namespace agent
