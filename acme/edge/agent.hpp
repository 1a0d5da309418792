// The edge's side of certificates: follows Navigator's list, installs, makes the web server use it, proves it, says so.
//
//   what changed in the list (long poll) -> fetch what differs -> stage -> make live -> nginx file -> reload hook ->
//   handshake with ourselves until the new leaf is served -> acknowledge
//
// Wanted is the list, observed is the directory; a pass applies the difference and can be repeated at any point. It
// looks at what changed; the whole directory is read at the start, after a failure, and now and then while idle. When
// the hook fails, links and file go back to what they were, and of several bundles the one that the web server refuses
// is looked for by halves and kept out for an hour, so that one tenant's does not hold up the others'. Neither does one
// that Navigator cannot give, whose key does not fit, or that the web server does not serve: each is tried again after
// a pause of its own, and the pass is a good one without it. A list that
// cannot be read changes nothing. Bundles that left the list are taken out of the web server first and off the disk
// second; so is what was staged of one and never made live, and what a removal left that was interrupted.
//
// Threads: belongs to one loop. Destroy it after the loop stopped.
#pragma once

#include "acme/edge/client/client.hpp"
#include "acme/edge/install.hpp"
#include "acme/edge/nginx.hpp"
#include "acme/edge/pace.hpp"
#include "base/net/backoff.hpp"
#include "base/net/task.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace edge {

struct AgentSettings {
  std::vector<std::string> navigators;  // "https://10.200.0.1:18010", tried in order, the last good one first
  net::TlsClientSettings tls;           // with this node's client certificate
  std::string directory;                // of the bundles
  std::string nginx_file;               // include file to write; empty: none
  NginxSettings nginx;                  // its directory is set by the agent
  std::string haproxy_file;             // crt-list to write; empty: none
  std::string caddy_file;               // import of the Caddyfile to write; empty: none
  std::string key_group;                // may read the keys too; empty: nobody but their owner
  std::vector<std::string> reload;      // argv of the hook, for instance {"nginx", "-s", "reload"}; empty: none
  std::string probe_address = "127.0.0.1";
  std::uint16_t probe_port = 443;
  std::chrono::milliseconds long_poll{30000};
  std::chrono::milliseconds call_deadline{10000};  // of an exchange, beyond the long poll
  std::chrono::milliseconds reload_deadline{30000};
  std::chrono::milliseconds proof_deadline{10000};  // how long a reload may take to show
  ReloadPaceSettings reload_pace;
  std::chrono::milliseconds retry_first{1000};
  std::chrono::milliseconds retry_limit{60000};
};

struct BundleStatus {
  std::string id;
  std::string tenant;
  std::string fingerprint;  // live on disk
  bool acknowledged = false;
};
struct AgentStatus {
  std::string navigator;   // the last that answered; empty: none yet
  std::string last_error;  // of the last pass, or which bundles are not in service; empty when all went through
  std::vector<BundleStatus> bundles;
};

class EdgeAgent {
 public:
  EdgeAgent(net::asio::any_io_executor executor, AgentSettings settings);
  EdgeAgent(EdgeAgent const&) = delete;
  EdgeAgent& operator=(EdgeAgent const&) = delete;

  // Until stop(); spawn it once.
  net::Task<void> run();
  void stop();
  // The client certificate was renewed: reads it again.
  base::Result<void> reload_identity() { return client_.reload_identity(); }
  [[nodiscard]] AgentStatus status() const;

 private:
  // The web server refuses it; tried again with another sequence, or later.
  struct HeldOut {
    std::int64_t sequence = 0;
    std::chrono::steady_clock::time_point until;
    std::string reason;
  };
  // It cannot be had, or is not seen to be served; tried again with another sequence, or later.
  struct PutOff {
    std::int64_t sequence = 0;
    std::chrono::steady_clock::time_point until;
    unsigned tries = 0;
    bool unserved = false;  // perhaps the web server missed a reload
    std::string reason;
  };
  using PutOffs = std::map<std::string, PutOff>;  // by id
  struct Answer {                                 // to an acknowledgment
    std::string fingerprint;
    std::int64_t sequence = 0;
    bool taken = false;  // else Navigator wants none for it: it is expired
  };
  struct Before {  // what a failed reload goes back to
    std::map<std::string, std::optional<std::string>> live;
    std::map<std::string, std::optional<std::string>> includes;  // file -> its text; nullopt: there was none
  };
  // Every step yields its failure; `pass` goes on with the bundles that are not concerned.
  net::Task<base::Result<void>> pass();
  net::Task<base::Result<void>> apply(Difference wanted);
  net::Task<base::Result<void>> fetch(BundleItem item);
  net::Task<base::Result<void>> activate(std::vector<BundleItem> staged, std::vector<std::string> gone);
  // The same after a reload that failed: the good ones, and which it was.
  net::Task<base::Result<void>> activate_apart(std::vector<BundleItem> staged, std::vector<std::string> gone);
  void activated(std::vector<BundleItem> const& staged);
  void hold_out(BundleItem const& item, std::string reason);
  [[nodiscard]] bool is_held_out(BundleItem const& item) const;
  PutOff& put_off(PutOffs& where, BundleItem const& item, std::string reason);
  [[nodiscard]] bool is_put_off(PutOffs const& where, BundleItem const& item) const;
  // How long nothing that was put off is due.
  [[nodiscard]] std::chrono::milliseconds until_due() const;
  void take_up_due();
  void forget_unlisted();
  [[nodiscard]] std::vector<BundleItem> served(Client::Items const& items) const;
  [[nodiscard]] bool is_settled(BundleItem const& item) const;
  base::Result<void> look();
  [[nodiscard]] Difference outstanding() const;
  net::Task<base::Result<void>> run_hook();
  // Writes what differs and keeps in `before` what was there.
  base::Result<void> write_includes(std::vector<BundleItem> const& serve, Before& before, bool& changed);
  base::Result<void> roll_back(Before const& before);
  base::Result<void> clear_away(std::vector<std::string> const& gone);
  net::Task<base::Result<void>> prove_all();
  [[nodiscard]] std::vector<BundleItem> unsettled() const;
  net::Task<base::Result<void>> acknowledge(BundleItem item);

  AgentSettings settings_;
  Installation installation_;
  Client client_;
  net::Signal stopping_;
  net::Backoff backoff_;
  ReloadPace pace_;
  bool stopped_ = false;
  bool applied_ = false;      // the list as it is known is what is served
  bool reload_owed_ = false;  // a version is live on disk that the web server was not seen to serve
  std::string last_error_;
  Client::Items observed_;                         // by id
  std::vector<std::string> strays_;                // have a folder and nothing that is live, at the last look
  std::set<std::string> pending_;                  // ids that changed in the list and were not applied
  bool whole_ = true;                              // the next pass reads the directory
  std::chrono::steady_clock::time_point look_at_;  // while idle
  std::map<std::string, Answer> acknowledged_;     // by id, since the start of this process
  std::map<std::string, HeldOut> held_out_;        // by id
  std::chrono::steady_clock::time_point began_;    // the pass: what is due by then is tried
  PutOffs unfetched_;
  PutOffs unproved_;
};

}  // namespace edge
