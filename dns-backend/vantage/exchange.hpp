// Verdicts between the sites: tells every peer what this site's checks say, at once when it changes and once a second
// besides, hears what the peers say, and tells the listener what all of them together decided.
//
//   POST /v1/verdicts                 a Report (report.hpp); the client certificate names the peer's node
//   GET  /v1/verdicts?endpoint=NAME   this site's last checks of one, for a peer that was asked why
//
// Answers: 204 or 200; 403 (no peer), 409 (send all votes), 400 (the report, or its place in the sequence, makes no
// sense). Refused reports are counted by reason: navigator_vantage_refused_total{reason}.
//
// Threads: one object on the control loop.
#pragma once

#include "base/http/http.hpp"
#include "base/http_client/http_client.hpp"
#include "base/process/metrics.hpp"
#include "dns-backend/vantage/council.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vantage {

struct PeerSettings {
  std::string site;
  std::string node;                     // the name in its certificate
  std::string url;                      // "https://10.200.0.1:18010"
  net::HttpClientSettings client = {};  // TLS towards it
};

struct ExchangeSettings {
  std::string site;
  std::vector<PeerSettings> peers;
  std::chrono::milliseconds heartbeat{1000};
  std::chrono::milliseconds fresh{5000};     // how long a report counts
  std::chrono::milliseconds deadline{2000};  // of one report on its way
};

// What is judged together; `current` of the Case is kept by the exchange.
struct Subject {
  std::string endpoint;
  std::string site;
  std::uint32_t quorum = 0;
};

struct PeerStatus {
  std::string site;
  bool heard = false;  // its reports are fresh
  bool hears_us = false;
  std::int64_t last_ms = 0;  // wall clock of the last report; 0: never
  std::string last_error;    // of telling it; empty while that works
};

struct ExchangeStatus {
  Standing standing;
  std::vector<PeerStatus> peers;
};

// What a peer answered about its checks of an endpoint.
struct Elsewhere {
  std::string site;
  std::string json;   // as its Hooks::checks made it; empty: it could not be asked
  std::string error;  // why not
};

// What the exchange asks and tells beside what is decided; any may be empty. Not called after the exchange's end.
struct Hooks {
  // When the endpoint was up last, Unix time; 0: it is up, or never was.
  std::function<std::int64_t(std::string const& endpoint)> left_up = {};
  // A peer saw it so.
  std::function<void(std::string const& endpoint, std::int64_t at_ms)> was_up = {};
  // An endpoint reported to a peer.
  std::function<void(Push const&, std::string const& site)> pushed = {};
  // This site's last checks, as JSON; empty: there is no such endpoint.
  std::function<std::string(std::string const& endpoint)> checks = {};
};

class Exchange {
 public:
  // `decided` is called when the decision on an endpoint changed, or whether it is a close one; until then a subject
  // has the health it began with, and nothing is close.
  using Listener = std::function<void(std::string const& endpoint, Ballot const& ballot)>;

  Exchange(net::asio::any_io_executor executor, ExchangeSettings settings, process::Metrics& metrics, Listener decided);
  // The listener is not called again. A report on its way ends unheard.
  ~Exchange();
  Exchange(Exchange const&) = delete;
  Exchange& operator=(Exchange const&) = delete;

  void add_routes(net::Router& router);
  // Reads the certificates towards the peers again. net::errc::certificate: the former ones stay.
  base::Result<void> reload_identity();
  void connect(Hooks hooks);
  // The endpoints to judge, with the health they begin with; what is gone is forgotten.
  void watch(std::vector<Subject> const& subjects, std::function<probe::Health(std::string const&)> const& current);
  // What this site's checks say of one, and what the last of them said.
  void vote(std::string const& endpoint, probe::Health observed, Why why = {});
  // An endpoint reported here: every peer is told, at once. Of what waits for a peer that cannot be told, the last
  // report of each endpoint stays, for a minute.
  void push(Push const& report);
  // Something was taken for down, or for up again, here: the peers are told when it was up last.
  void health_changed();
  // One of this site's checks of it succeeded, whatever is said of it. Calls nobody.
  void reached(std::string const& endpoint);
  void witness(std::optional<bool> reached);

  // How the present decision on one came about; nothing: it is not judged here.
  [[nodiscard]] std::optional<Ballot> ballot(std::string const& endpoint) const;
  // What each site that is heard says of one, and why.
  [[nodiscard]] std::vector<Word> words(std::string const& endpoint) const;
  // The last checks of one by every peer that is heard, asked now.
  [[nodiscard]] net::Task<std::vector<Elsewhere>> ask(std::string endpoint) const;
  [[nodiscard]] ExchangeStatus status() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace vantage
