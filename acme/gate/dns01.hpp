// The gate of proofs in DNS: challenge values go into the store, and the CA is asked only when every site serves them.
//
// A site is good when it acknowledged the revision that holds the values and then, asked directly over UDP and over
// TCP, returned each of them. It is not asked before its acknowledgment, since a question that comes too early puts "no
// such name" into the site's caches. A CA looks from several places and reaches several sites of an anycast address, so
// one site that lags fails the validation: then the order waits, it never hopes.
//
// Threads: belongs to the control loop.
#pragma once

#include "acme/gate/errc.hpp"
#include "acme/protocol/order_machine.hpp"
#include "base/net/task.hpp"
#include "dns-backend/store/store.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace acme {

// A DNS site as the wiring knows it at this moment.
struct Site {
  std::string name;
  std::string address;  // its own unicast address, not an anycast one
  std::uint16_t port = 53;
  bool in_service = true;  // false: withdrawn, or neither heard of nor answering: nobody is led there
  store::Revision acknowledged = 0;
  bool silent = false;  // in service because it answers (acme/gate/pulse.hpp), though nothing is heard of it
};

// What the sites still owe, decided from a list of sites; pure.
struct GateView {
  std::vector<Site> ask;            // acknowledged, not proved yet
  std::vector<std::string> behind;  // "ams has 7 of 9"
  bool any_in_service = false;
};
[[nodiscard]] GateView look(std::vector<Site> const& sites, store::Revision revision,
                            std::set<std::string> const& proved);

// The revision that every site in service has acknowledged; `newest` without any.
[[nodiscard]] store::Revision acknowledged_everywhere(std::vector<Site> const& sites, store::Revision newest);

// What a site must answer.
struct Expected {
  std::string name;  // without final dot
  std::string type;
  std::string content;  // of one record, in presentation form
};

struct GateSettings {
  std::chrono::milliseconds deadline{60000};  // then the order is deferred
  std::chrono::milliseconds query_timeout{1000};
  std::chrono::milliseconds poll_first{5};  // how soon sites are looked at again; grows by half each time
  std::chrono::milliseconds poll_limit{500};
  // How long CAs may keep CAA records that changed: their TTL.
  std::chrono::milliseconds caa_pause{std::chrono::seconds(store::Model::caa_ttl)};
};

class Dns01 {
 public:
  // `sites` is called on the control loop, often.
  Dns01(net::asio::any_io_executor executor, store::Store& store, std::function<std::vector<Site>()> sites,
        GateSettings settings);
  Dns01(Dns01 const&) = delete;
  Dns01& operator=(Dns01 const&) = delete;

  // Adds the values and waits for every site in service. errc::not_ready names the sites that are behind at the
  // deadline; then the values are still in the store (unpublish takes them away). Store failures are passed on.
  // `beside` is asked for with them.
  net::Task<base::Result<void>> publish(std::string owner, std::vector<protocol::TxtValue> values,
                                        std::vector<Expected> beside = {});
  net::Task<base::Result<void>> unpublish(std::string owner);
  // Values that stay: the owner has exactly these afterwards. Sites are waited for when the values are new, or were
  // not seen at all sites since the start; else nothing is asked of anybody.
  net::Task<base::Result<void>> keep(std::string owner, std::vector<protocol::TxtValue> values,
                                     std::vector<Expected> beside = {});
  // Every site in service acknowledged the revision and answers this; errc::not_ready as above.
  net::Task<base::Result<void>> gate(store::Revision revision, std::vector<Expected> expected);
  net::Task<base::Result<void>> unpublish_below(std::string owner);  // "owner" and "owner/..."
  // Of what was kept for "...INFIX/X", only that with an X of `keep` stays.
  net::Task<base::Result<void>> sweep(std::string infix, std::set<std::string> keep);
  [[nodiscard]] store::Revision everywhere() const { return acknowledged_everywhere(sites_(), store_.revision()); }
  [[nodiscard]] GateSettings const& settings() const { return settings_; }
  // A site acknowledged something: looks at once instead of at the next poll.
  void poke() { changed_.notify(); }

 private:
  struct Questions;
  net::Task<std::vector<std::string>> ask(std::vector<Site> sites, std::vector<Expected> expected,
                                          std::set<std::string>& proved);
  static net::Task<void> ask_site(Site site, std::vector<Expected> expected, std::chrono::milliseconds timeout,
                                  std::shared_ptr<Questions> questions, std::size_t index);

  net::asio::any_io_executor executor_;
  store::Store& store_;
  std::function<std::vector<Site>()> sites_;
  GateSettings settings_;
  net::Signal changed_;
  std::map<std::string, std::vector<protocol::TxtValue>> kept_;  // by owner: every site answers them
};

}  // namespace acme
