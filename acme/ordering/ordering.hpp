// One order of one subject at one CA, and rehearsals of it.
//
// Threads: belongs to the control loop; what it is given must outlive its tasks.
#pragma once

#include "acme/authority/authority.hpp"
#include "acme/gate/caa_records.hpp"
#include "acme/gate/dns01.hpp"
#include "acme/protocol/order_machine.hpp"
#include "acme/vault/vault.hpp"
#include "base/net/task.hpp"
#include "base/process/metrics.hpp"
#include "dns-backend/store/store.hpp"

#include <boost/asio/thread_pool.hpp>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace acme {

// What a look at a domain found, right before its order.
struct Sight {
  std::string objection;   // why no certificate can be had now; empty: nothing stands in the way
  bool passing = false;    // it says nothing about the domain: a resolver that failed
  bool here_only = false;  // another CA may be content: what is missing is what this one's challenge needs
};
// `label`: what must be delegated below the name, "_acme-challenge" or what the CA's challenge has in its place.
using Look = std::function<net::Task<base::Result<Sight>>(std::int64_t domain_id, std::string name, std::string label)>;
// CAA contents by name, of this one or of the closest above it that has any; a failure: they cannot be looked up, and a
// CA could not either. `tenant_id`: whose the name is; 0: it is above the platform's own.
using CaaFound = std::map<std::string, std::vector<std::string>>;
using CaaLook = std::function<net::Task<base::Result<CaaFound>>(std::int64_t tenant_id, std::string name)>;

struct Job {
  vault::SubjectRow subject;
  std::vector<std::string> names;
  std::string challenge_name;                        // where the TXT values go; empty: below the name itself
  std::int64_t domain_id = 0;                        // to be looked at; 0: none
  std::optional<vault::CertificateRow> certificate;  // that it replaces
};

class Ordering {
 public:
  struct Environment {
    store::Store& store;
    vault::Vault& vault;
    process::Metrics& metrics;
    Dns01& dns01;
    protocol::OrderLimits limits;
    Look look;         // empty: domains are not looked at
    CaaLook caa_look;  // empty: CAA records of our own zones alone
    bool publish_caa = false;
  };
  explicit Ordering(Environment environment) : of_(std::move(environment)), caa_(of_.store, of_.dns01) {}

  // Stops between two steps once `may_go_on` says no; the order is kept then, and with it the URL that the CA was about
  // to give it. `placed` hears that the CA placed one, `stored` of the certificate. A CA that cannot be reached or
  // understood is an outcome, too.
  net::Task<protocol::Outcome> place(Job job, Authority& authority, std::function<bool()> may_go_on,
                                     std::function<void()> placed, std::function<void(vault::CertificateRow)> stored);
  // Whether a CA was asked for an order and its URL is not stored yet.
  [[nodiscard]] bool is_placing() const { return *placing_ != 0; }
  // TXT values of rehearsals and of orders that an earlier process left go, and of standing proofs all but those of
  // these CAs. Only while no order is under way.
  net::Task<base::Result<void>> sweep(std::set<std::string> standing);

  // --- CAA records for tenants' names (acme/gate/caa_records.hpp) ---
  // Of CAs that are asked no longer they go; all of them unless they shall be published.
  net::Task<base::Result<void>> keep_caa(std::set<std::string> directories);
  // Tries to have this CA in them; what fails is tried again with its next order.
  net::Task<base::Result<void>> announce(Authority& authority);
  // From beginning to end by the same sites; neither order nor certificate is kept.
  net::Task<base::Result<protocol::Outcome>> rehearse(Job job, Authority& authority);

 private:
  net::Task<base::Result<protocol::Outcome>> try_to_place(Job job, Authority& authority,
                                                          std::function<bool()> may_go_on, std::function<void()> placed,
                                                          std::function<void(vault::CertificateRow)> stored);
  static CaaIssuer issuer_of(protocol::Directory const& places, Authority& authority);
  // What stands in the way before the CA is asked; nothing: nothing.
  net::Task<std::optional<protocol::Outcome>> obstacle(Job const& job, protocol::Directory const& places,
                                                       Authority& authority);
  using Fresh = std::pair<vault::OrderRow, crypto::Key>;
  net::Task<base::Result<Fresh>> fresh_order(Job const& job, AuthoritySettings const& wishes);
  net::Task<base::Result<crypto::Key>> make_key(crypto::KeyType type);
  net::Task<base::Result<vault::OrderRow>> prepare(Job const& job, AuthoritySettings const& wishes);
  [[nodiscard]] std::string caa_refusal_of(std::vector<std::string> const& names, protocol::Directory const& places,
                                           Authority& authority, CaaFound const& elsewhere) const;
  net::Task<base::Result<CaaFound>> caa_elsewhere(Job const& job, protocol::Directory const& places) const;
  net::Task<protocol::Event> perform(protocol::Action action, vault::OrderRow row, Job const& job, Authority& authority,
                                     std::function<void(vault::CertificateRow)> const& stored);
  net::Task<protocol::Event> publish(std::string owner, protocol::Publish proof, Job const& job, Authority& authority);
  net::Task<protocol::Event> keep(protocol::StoreCertificate issued, vault::OrderRow row, Job const& job,
                                  std::function<void(vault::CertificateRow)> const& stored);
  static net::Task<protocol::Event> post(protocol::Post request, Authority& authority);
  net::Task<base::Result<protocol::Outcome>> rehearse_at(Job const& job, vault::OrderRow row, crypto::Key key,
                                                         Authority& authority);

  Environment of_;
  CaaRecords caa_;
  std::shared_ptr<int> placing_ = std::make_shared<int>(0);
  net::asio::thread_pool keys_{1};  // an RSA key would hold up the loop for up to seconds
};

}  // namespace acme
