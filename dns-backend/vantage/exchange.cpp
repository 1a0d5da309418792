#include "dns-backend/vantage/exchange.hpp"

#include "base/process/log.hpp"
#include "dns-backend/vantage/report.hpp"

#include <algorithm>

namespace vantage {
namespace {

using Clock = std::chrono::steady_clock;
using probe::Health;

std::int64_t wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

CouncilSettings council_of(ExchangeSettings const& settings) {
  CouncilSettings out;
  out.site = settings.site;
  out.fresh = settings.fresh;
  for (PeerSettings const& peer : settings.peers) {
    out.peers.insert(peer.site);
  }
  return out;
}

constexpr std::int64_t push_age_ms_max = 60'000;  // older ones are refused as misdated

int status_of(boost::system::error_code const& code) {
  if (code == errc::unknown_site) {
    return 403;
  }
  return code == errc::unconfirmed ? 409 : 400;
}

}  // namespace

struct Exchange::State {
  struct Peer {
    Peer(net::asio::any_io_executor executor, PeerSettings wanted)
        : settings(std::move(wanted)), client(executor, settings.client), wake(executor) {}
    PeerSettings settings;
    net::HttpClient client;
    net::Signal wake;
    std::map<std::string, Push> waiting;  // by endpoint
    std::uint64_t confirmed = 0;  // the votes_of that it has
    std::string last_error;
    std::int64_t heard_ms = 0;
    bool hears_us = false;
  };
  struct Judged {
    Subject subject;
    Ballot ballot;
  };

  State(net::asio::any_io_executor the_executor, ExchangeSettings wanted, process::Metrics& the_metrics,
        Listener listener)
      : settings(std::move(wanted)),
        metrics(the_metrics),
        decided(std::move(listener)),
        cut_off(metrics.gauge("navigator_vantage_cut_off", "1 while this site is cut off and changes no health", {})),
        council(council_of(settings), Clock::now()),
        tick(the_executor) {
    for (PeerSettings const& peer : settings.peers) {
      peers.push_back(std::make_unique<Peer>(the_executor, peer));
    }
  }

  [[nodiscard]] Report report(Peer& peer);
  void hear(Report const& report);
  [[nodiscard]] std::vector<std::unique_ptr<Peer>>::const_iterator sender(net::HttpRequest const& request) const;
  void judge(Judged& judged, Clock::time_point now);
  void judge_all();
  void tell();
  void note_standing();
  net::Task<net::HttpResponse> take(net::HttpRequest request);
  net::Task<net::HttpResponse> show(net::HttpRequest request);
  static net::Task<std::vector<Elsewhere>> ask(std::shared_ptr<State> state, std::string endpoint);
  static net::Task<void> tell_for_ever(std::shared_ptr<State> state, Peer* peer);
  static net::Task<void> watch_time(std::shared_ptr<State> state);

  ExchangeSettings settings;
  process::Metrics& metrics;
  Listener decided;
  Hooks hooks;
  process::Gauge cut_off;
  Council council;
  std::vector<std::unique_ptr<Peer>> peers;
  std::map<std::string, Judged, std::less<>> judged;
  std::set<std::string> off_site;
  Standing standing;
  std::optional<bool> reached;  // a witness
  net::Signal tick;
  std::int64_t const boot_ms = wall_ms();
  std::uint64_t sequence = 0;
  std::uint64_t votes_of = 0;
  bool running = true;
};

Report Exchange::State::report(Peer& peer) {
  Report out;
  out.site = settings.site;
  out.boot_ms = boot_ms;
  out.sequence = ++sequence;
  out.at_ms = wall_ms();
  if (votes_of == 0) {
    votes_of = sequence;
  }
  out.votes_of = votes_of;
  out.complete = peer.confirmed != votes_of;
  if (out.complete) {
    out.votes = council.votes();
    out.whys = council.whys();
    for (auto const& [name, one] : judged) {
      std::int64_t const at_ms = hooks.left_up && one.ballot.decided == Health::down ? hooks.left_up(name) : 0;
      if (at_ms > 0) {
        out.left_up_ms[name] = at_ms;
      }
    }
  }
  std::erase_if(peer.waiting, [&](auto const& one) { return one.second.at_ms < out.at_ms - push_age_ms_max; });
  for (auto one = peer.waiting.begin(); one != peer.waiting.end() && out.pushed.size() < pushed_max; ++one) {
    out.pushed.push_back(one->second);
  }
  out.hears = council.heard(Clock::now());
  out.cut_off = standing.cut_off;
  return out;
}

void Exchange::State::judge(Judged& one, Clock::time_point now) {
  Case const which{one.subject.endpoint, one.subject.quorum, one.ballot.decided};
  Ballot ballot = council.decide(which, standing, now);
  bool const news = ballot.decided != one.ballot.decided || ballot.close != one.ballot.close;
  one.ballot = std::move(ballot);
  if (news && decided) {
    decided(one.subject.endpoint, one.ballot);
  }
}

void Exchange::State::note_standing() {
  Standing now = council.standing(Clock::now());
  if (now.cut_off != standing.cut_off || now.beginning != standing.beginning) {
    if (now.beginning) {
      process::log::info("vantage", "{}: health stays as it is", now.reason);
    } else if (now.cut_off) {
      process::log::warning("vantage", "this site is cut off and changes no health: {}", now.reason);
    } else {
      process::log::info("vantage", "this site is no longer cut off");
    }
    cut_off.set(now.cut_off && !now.beginning ? 1 : 0);
  }
  standing = std::move(now);
}

void Exchange::State::judge_all() {
  note_standing();
  Clock::time_point const now = Clock::now();
  // The listener may change what is watched: names are looked up again.
  std::vector<std::string> names;
  for (auto const& [name, one] : judged) {
    names.push_back(name);
  }
  for (std::string const& name : names) {
    if (auto const found = judged.find(name); found != judged.end()) {
      judge(found->second, now);
    }
  }
}

void Exchange::State::tell() {
  for (auto const& peer : peers) {
    peer->wake.notify();
  }
}

std::vector<std::unique_ptr<Exchange::State::Peer>>::const_iterator Exchange::State::sender(
    net::HttpRequest const& request) const {
  return std::find_if(peers.begin(), peers.end(), [&request](auto const& peer) {
    return !request.peer.certificate_name.empty() && peer->settings.node == request.peer.certificate_name;
  });
}

// What the report says beside its votes.
void Exchange::State::hear(Report const& report) {
  if (report.complete && hooks.was_up) {
    std::int64_t const latest_ms = wall_ms() + council.settings().tolerance.count();
    for (auto const& [endpoint, at_ms] : report.left_up_ms) {
      if (at_ms <= latest_ms && judged.contains(endpoint)) {
        hooks.was_up(endpoint, at_ms);
      }
    }
  }
  for (Push const& push : report.pushed) {
    if (hooks.pushed) {
      hooks.pushed(push, report.site);
    }
  }
}

net::Task<net::HttpResponse> Exchange::State::show(net::HttpRequest request) {
  auto const endpoint = request.query.find("endpoint");
  if (!running || sender(request) == peers.end()) {
    co_return net::HttpResponse::problem(403, "no peer",
                                         "'" + request.peer.certificate_name + "' is no peer's node");
  }
  std::string const shown =
      hooks.checks && endpoint != request.query.end() ? hooks.checks(endpoint->second) : std::string();
  if (shown.empty()) {
    co_return net::HttpResponse::problem(404, "no such endpoint", "this site does not check it");
  }
  net::HttpResponse response = net::HttpResponse::text(200, shown);
  response.headers.set("Content-Type", "application/json");
  co_return response;
}

net::Task<std::vector<Elsewhere>> Exchange::State::ask(std::shared_ptr<State> state, std::string endpoint) {
  std::vector<Elsewhere> out;
  std::set<std::string> const heard = state->council.heard(Clock::now());
  for (auto const& peer : state->peers) {
    Elsewhere one;
    one.site = peer->settings.site;
    if (!heard.contains(one.site)) {
      one.error = "it is not heard";
    } else if (state->running) {
      net::HttpRequest request;
      request.method = "GET";
      std::string const url = peer->settings.url + "/v1/verdicts?endpoint=" + net::percent_encode(endpoint);
      auto const answer = co_await peer->client.send(url, request, state->settings.deadline);
      if (answer && answer->status == 200) {
        one.json = answer->body;
      } else {
        one.error = answer ? "answered with status " + std::to_string(answer->status) : answer.error().what();
      }
    }
    out.push_back(std::move(one));
  }
  co_return out;
}

net::Task<net::HttpResponse> Exchange::State::take(net::HttpRequest request) {
  if (!running) {
    co_return net::HttpResponse::problem(503, "this site is stopping", "no verdicts are taken any more");
  }
  auto const from = sender(request);
  Report heard;
  base::Result<bool> taken =
      base::fail(errc::unknown_site, "'" + request.peer.certificate_name + "' is no peer's node");
  if (from != peers.end()) {
    auto report = parse_report(request.body);
    if (report) {
      bool const hears_us = report->hears.contains(settings.site);
      heard.site = (*from)->settings.site;
      heard.complete = report->complete;
      heard.left_up_ms = report->left_up_ms;
      heard.pushed = std::exchange(report->pushed, {});
      taken = council.take(std::move(*report), heard.site, Clock::now(), wall_ms());
      (*from)->hears_us = taken ? hears_us : (*from)->hears_us;
    } else {
      taken = report.error();
    }
  }
  if (!taken) {
    std::string const reason = taken.error().code.message();
    metrics.counter("navigator_vantage_refused_total", "Reports of peers that were refused", {{"reason", reason}})
        .add();
    co_return net::HttpResponse::problem(status_of(taken.error().code), reason, taken.error().detail);
  }
  (*from)->heard_ms = wall_ms();
  if (*taken) {
    judge_all();
  }
  hear(heard);
  net::HttpResponse response;
  response.status = 204;
  co_return response;
}

net::Task<void> Exchange::State::tell_for_ever(std::shared_ptr<State> state, Peer* peer) {
  while (state->running) {
    Report const report = state->report(*peer);
    net::HttpRequest request;
    request.method = "POST";
    request.headers.set("Content-Type", "application/json");
    request.body = to_json(report);
    std::string const url = peer->settings.url + "/v1/verdicts";
    auto const answer = co_await peer->client.send(url, request, state->settings.deadline);
    if (!state->running) {
      co_return;
    }
    bool const taken = answer && answer->status == 204;
    bool const again = answer && answer->status == 409 && peer->confirmed != 0;
    if (taken) {
      peer->confirmed = report.votes_of;
      peer->last_error.clear();
      for (Push const& push : report.pushed) {
        auto const sent = peer->waiting.find(push.endpoint);
        if (sent != peer->waiting.end() && sent->second.sequence == push.sequence) {
          peer->waiting.erase(sent);
        }
      }
    } else {
      peer->confirmed = 0;
      std::string const error =
          answer ? "answered with status " + std::to_string(answer->status) : answer.error().what();
      if (!again && error != peer->last_error) {
        process::log::warning("vantage", "{} cannot be told: {}", peer->settings.site, error);
        peer->last_error = error;
      }
    }
    // New votes that came meanwhile go at once; so do all votes when the peer asked for them.
    bool const more = taken && (peer->confirmed != state->votes_of || !peer->waiting.empty());
    if (!more && !again) {
      co_await peer->wake.wait(state->settings.heartbeat);
    }
  }
}

// What grows old changes decisions without anything coming in.
net::Task<void> Exchange::State::watch_time(std::shared_ptr<State> state) {
  while (state->running) {
    co_await state->tick.wait(state->settings.heartbeat);
    if (!state->running) {
      co_return;
    }
    Standing const now = state->council.standing(Clock::now());
    bool const same = now.cut_off == state->standing.cut_off && now.beginning == state->standing.beginning &&
                      now.heard == state->standing.heard;
    if (!same) {
      state->judge_all();
    }
  }
}

Exchange::Exchange(net::asio::any_io_executor executor, ExchangeSettings settings, process::Metrics& metrics,
                   Listener decided)
    : state_(std::make_shared<State>(executor, std::move(settings), metrics, std::move(decided))) {
  for (auto const& peer : state_->peers) {
    net::spawn(executor, "verdicts to " + peer->settings.site, State::tell_for_ever(state_, peer.get()));
  }
  net::spawn(executor, "age of verdicts", State::watch_time(state_));
}

Exchange::~Exchange() {
  state_->running = false;
  state_->decided = nullptr;
  state_->hooks = {};
  state_->tick.notify();
  state_->tell();
}

base::Result<void> Exchange::reload_identity() {
  for (auto const& peer : state_->peers) {
    if (auto const loaded = peer->client.reload(); !loaded) {
      return loaded.error();
    }
  }
  return {};
}

void Exchange::add_routes(net::Router& router) {
  router.add("POST", "/v1/verdicts",
             [state = state_](net::HttpRequest request) { return state->take(std::move(request)); },
             {report_octets_max, {}});
  router.add("GET", "/v1/verdicts",
             [state = state_](net::HttpRequest request) { return state->show(std::move(request)); });
}

void Exchange::connect(Hooks hooks) {
  state_->hooks = std::move(hooks);
}

void Exchange::watch(std::vector<Subject> const& subjects, std::function<Health(std::string const&)> const& current) {
  std::map<std::string, State::Judged, std::less<>> next;
  state_->off_site.clear();
  for (Subject const& subject : subjects) {
    auto const known = state_->judged.find(subject.endpoint);
    State::Judged judged{subject, known == state_->judged.end() ? Ballot() : known->second.ballot};
    if (known == state_->judged.end()) {
      judged.ballot.decided = current(subject.endpoint);
    }
    if (!subject.site.empty() && subject.site != state_->settings.site) {
      state_->off_site.insert(subject.endpoint);
    }
    next.emplace(subject.endpoint, std::move(judged));
  }
  for (auto const& [name, judged] : state_->judged) {
    if (!next.contains(name)) {
      state_->council.forget(name);
    }
  }
  state_->judged = std::move(next);
}

void Exchange::vote(std::string const& endpoint, Health observed, Why why) {
  if (!state_->council.vote(endpoint, observed, std::move(why))) {
    return;
  }
  state_->votes_of = 0;  // the next report carries all votes
  state_->tell();
  bool const was_cut_off = state_->standing.cut_off;
  state_->note_standing();
  if (state_->standing.cut_off != was_cut_off) {
    state_->judge_all();
  } else if (auto const found = state_->judged.find(endpoint); found != state_->judged.end()) {
    state_->judge(found->second, Clock::now());
  }
}

void Exchange::push(Push const& report) {
  for (auto const& peer : state_->peers) {
    peer->waiting.insert_or_assign(report.endpoint, report);
  }
  state_->tell();
}

void Exchange::health_changed() {
  state_->votes_of = 0;  // the next report carries everything
  state_->tell();
}

// A change of standing that comes of it is seen at the next heartbeat.
void Exchange::reached(std::string const& endpoint) {
  if (state_->off_site.contains(endpoint)) {
    state_->council.reached(Clock::now());
  }
}

void Exchange::witness(std::optional<bool> reached) {
  if (reached == state_->reached) {
    return;
  }
  state_->reached = reached;
  state_->council.witness(reached);
  state_->judge_all();
}

std::optional<Ballot> Exchange::ballot(std::string const& endpoint) const {
  auto const found = state_->judged.find(endpoint);
  return found == state_->judged.end() ? std::nullopt : std::optional<Ballot>(found->second.ballot);
}

std::vector<Word> Exchange::words(std::string const& endpoint) const {
  return state_->council.words(endpoint, Clock::now());
}

net::Task<std::vector<Elsewhere>> Exchange::ask(std::string endpoint) const {
  return State::ask(state_, std::move(endpoint));
}

ExchangeStatus Exchange::status() const {
  ExchangeStatus out;
  out.standing = state_->council.standing(Clock::now());
  for (auto const& peer : state_->peers) {
    PeerStatus one;
    one.site = peer->settings.site;
    one.heard = out.standing.heard.contains(one.site);
    one.hears_us = one.heard && peer->hears_us;
    one.last_ms = peer->heard_ms;
    one.last_error = peer->last_error;
    out.peers.push_back(std::move(one));
  }
  return out;
}

}  // namespace vantage
