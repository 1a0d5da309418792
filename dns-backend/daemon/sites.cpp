// What the sites tell each other, as the daemon wires it: votes and why, falls, reports of endpoints, witnesses.
#include "base/process/log.hpp"
#include "dns-backend/daemon/daemon.hpp"
#include "dns-backend/site_settings/site_settings.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace navigator {
namespace {

namespace json = boost::json;
using process::log::warning;

constexpr std::chrono::milliseconds witness_interval{2000};

// "nyc (connection refused), sin"
std::string list_of(std::vector<std::string> const& sites, std::vector<vantage::Word> const& words) {
  std::string out;
  for (std::string const& site : sites) {
    auto const word = std::find_if(words.begin(), words.end(), [&site](auto const& one) { return one.site == site; });
    bool const said = word != words.end() && word->why.has_value();
    out += (out.empty() ? "" : ", ") + site + (said ? " (" + word->why->reason + ")" : "");
  }
  return out.empty() ? "no site" : out;
}

// `alive` goes with the daemon's life: after a wait it may be over.
net::Task<void> ask_witnesses(Daemon* daemon, std::weak_ptr<bool> alive, std::vector<Witness> witnesses) {
  while (!alive.expired()) {
    bool reached = false;
    for (Witness const& witness : witnesses) {
      probe::Check check;
      check.address = witness.address;
      check.port = witness.port;
      probe::Verdict const verdict = co_await probe::run(check);
      reached = reached || verdict.success;
    }
    if (!alive.expired()) {
      daemon->exchange->witness(reached);
    }
    bool const waited = co_await net::wait_for(witness_interval);
    if (!waited) {
      co_return;
    }
  }
}

json::array words_of(Daemon const& daemon, std::string const& endpoint) {
  json::array out;
  for (vantage::Word const& word : daemon.exchange->words(endpoint)) {
    json::object one{{"site", word.site}, {"says", probe::name(word.health)}};
    if (word.why) {
      one["at_ms"] = word.why->at_ms;
      one["reason"] = word.why->reason;
    }
    out.push_back(std::move(one));
  }
  return out;
}

json::value votes_of(Daemon const& daemon, std::string const& endpoint) {
  auto const ballot = daemon.exchange == nullptr ? std::nullopt : daemon.exchange->ballot(endpoint);
  if (!ballot) {
    return nullptr;
  }
  return json::object{{"up", json::value_from(ballot->up)},
                      {"down", json::value_from(ballot->down)},
                      {"kept", ballot->kept},
                      {"words", words_of(daemon, endpoint)}};
}

std::string checks_of(Daemon const& daemon, std::string const& endpoint) {
  auto const status = daemon.monitor->status(endpoint);
  return status ? json::serialize(json::object{{"observed", probe::name(status->observed)},
                                               {"checks", api::json_of(status->checks)}})
                : std::string();
}

// A list of what each other site answered.
net::Task<json::value> checks_elsewhere(Daemon const* daemon, std::string endpoint) {
  json::array out;
  auto const answers = co_await daemon->exchange->ask(std::move(endpoint));
  for (vantage::Elsewhere const& answer : answers) {
    json::object one{{"site", answer.site}};
    boost::system::error_code error;
    json::parse_options options;
    options.allow_invalid_utf8 = true;  // a reason holds whatever a target said
    json::value const body = answer.json.empty() ? json::value() : json::parse(answer.json, error, {}, options);
    json::value const* const checks = body.is_object() ? body.get_object().if_contains("checks") : nullptr;
    if (!error && checks != nullptr && checks->is_array()) {
      one["checks"] = *checks;
    } else {
      one["error"] = answer.error.empty() ? "its answer makes no sense" : answer.error;
    }
    out.push_back(std::move(one));
  }
  co_return json::value(std::move(out));
}

// What an endpoint said to another site counts here as well, once.
void hear_push(Daemon& daemon, vantage::Push const& push, std::string const& site) {
  monitor::Report report{push.success, push.reason, push.load_permille, push.sequence, push.at_ms};
  auto const taken = daemon.monitor->report(push.endpoint, report, monitor::Via::peer);
  if (!taken && taken.error().code == monitor::errc::misdated) {
    daemon.metrics.counter("navigator_reports_refused_total", "Reports of endpoints that were refused", {}).add();
    warning("health", "a report of {} by way of {} is refused: {}", push.endpoint, site, taken.error().what());
  }
}

// Which endpoint is kept when all are down is known better: answers may be others, though nothing flipped.
void hear_left_up(Daemon& daemon, std::string const& endpoint, std::int64_t at_ms) {
  if (daemon.health.left_up(daemon.health.slot(endpoint), at_ms)) {
    unsaved(daemon);
    if (daemon.overview.keeps_last) {
      forget_answers_of(daemon, endpoint);
    }
  }
}

vantage::Hooks hooks_of(Daemon& daemon) {
  vantage::Hooks hooks;
  hooks.left_up = [&daemon](std::string const& endpoint) {
    return daemon.health.left_up_ms(daemon.health.slot(endpoint));
  };
  hooks.was_up = [&daemon](std::string const& endpoint, std::int64_t at_ms) { hear_left_up(daemon, endpoint, at_ms); };
  hooks.pushed = [&daemon](vantage::Push const& push, std::string const& site) { hear_push(daemon, push, site); };
  hooks.checks = [&daemon](std::string const& endpoint) { return checks_of(daemon, endpoint); };
  return hooks;
}

void vote(Daemon& daemon, std::string const& endpoint, probe::Health observed) {
  unsaved(daemon);
  auto const status = observed == probe::Health::down ? daemon.monitor->status(endpoint) : std::nullopt;
  vantage::Why const why = status ? vantage::Why{status->checked_at_ms, status->reason} : vantage::Why();
  daemon.exchange->vote(endpoint, observed, why);
}

}  // namespace

void start_sites(Daemon& daemon) {
  vantage::ExchangeSettings sites = exchange_settings(daemon.settings);
  if (sites.peers.empty() || sites.site.empty()) {
    return;
  }
  auto const decided = [&daemon](std::string const& endpoint, vantage::Ballot const& ballot) {
    bool const voted = !ballot.up.empty() || !ballot.down.empty();
    auto const words = daemon.exchange->words(endpoint);
    std::string const reason = voted ? "up at " + list_of(ballot.up, words) + "; down at " + list_of(ballot.down, words)
                                     : "this site's word: no vote counts yet";
    daemon.monitor->judge(endpoint, ballot.decided, reason,
                          ballot.close ? vantage::close_stable_s : pool::HealthTable::stable_unknown);
  };
  daemon.exchange = std::make_unique<vantage::Exchange>(daemon.executor, std::move(sites), daemon.metrics, decided);
  daemon.exchange->add_routes(daemon.router);
  daemon.exchange->connect(hooks_of(daemon));
  daemon.monitor->observe_only(
      [&daemon](std::string const& endpoint, probe::Health observed) { vote(daemon, endpoint, observed); },
      [&daemon](std::string const& endpoint) { daemon.exchange->reached(endpoint); });
  if (!daemon.settings.witnesses.empty()) {
    net::spawn(daemon.executor, "witnesses", ask_witnesses(&daemon, daemon.alive, daemon.settings.witnesses));
  }
}

void add_site_sections(Daemon const& daemon, api::Dependencies& api) {
  if (daemon.exchange == nullptr) {
    return;
  }
  api.votes = [&daemon](std::string const& endpoint) { return votes_of(daemon, endpoint); };
  api.elsewhere = [&daemon](std::string endpoint) { return checks_elsewhere(&daemon, std::move(endpoint)); };
  api.reported = [&daemon](std::string const& endpoint, monitor::Report const& report) {
    daemon.exchange->push({endpoint, report.success, report.reason, report.load_permille, report.sequence,
                           report.at_ms});
  };
  api.sections["sites"] = [&daemon]() -> json::value {
    vantage::ExchangeStatus const status = daemon.exchange->status();
    json::array peers;
    for (vantage::PeerStatus const& peer : status.peers) {
      peers.push_back(json::object{{"site", peer.site},
                                   {"heard", peer.heard},
                                   {"hears_us", peer.hears_us},
                                   {"last_ms", peer.last_ms},
                                   {"last_error", peer.last_error}});
    }
    return json::object{
        {"cut_off", status.standing.cut_off}, {"reason", status.standing.reason}, {"peers", std::move(peers)}};
  };
}

}  // namespace navigator
