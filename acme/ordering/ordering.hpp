// One order of one subject at one CA, and rehearsals of it.
//
// Threads: belongs to the control loop; what it is given must outlive its tasks.
#pragma once

#include "acme/authority/authority.hpp"
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
  std::map<std::string, std::vector<std::string>> caa;  // contents by name, of the domain and what is above it
};
// `label`: what must be delegated below the name, "_acme-challenge" or what the CA's challenge has in its place.
using Look = std::function<net::Task<base::Result<Sight>>(std::int64_t domain_id, std::string name, std::string label)>;

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
    Look look;  // empty: domains are not looked at
  };
  explicit Ordering(Environment environment) : of_(std::move(environment)) {}

  // Stops between two steps once `may_go_on` says no; the order is kept then. `stored` hears of the certificate.
  net::Task<base::Result<protocol::Outcome>> place(Job job, Authority& authority, std::function<bool()> may_go_on,
                                                   std::function<void(vault::CertificateRow)> stored);
  // From beginning to end by the same sites; neither order nor certificate is kept.
  net::Task<base::Result<protocol::Outcome>> rehearse(Job job, Authority& authority);

 private:
  // What stands in the way before the CA is asked; nothing: nothing.
  net::Task<std::optional<protocol::Outcome>> obstacle(Job const& job, protocol::Directory const& places,
                                                       Authority& authority);
  using Fresh = std::pair<vault::OrderRow, crypto::Key>;
  net::Task<base::Result<Fresh>> fresh_order(Job const& job, AuthoritySettings const& wishes);
  net::Task<base::Result<crypto::Key>> make_key(crypto::KeyType type);
  net::Task<base::Result<vault::OrderRow>> prepare(Job const& job, AuthoritySettings const& wishes);
  [[nodiscard]] std::string caa_refusal_of(std::vector<std::string> const& names, protocol::Directory const& places,
                                           Authority& authority, Sight const& sight) const;
  net::Task<protocol::Event> perform(protocol::Action action, vault::OrderRow row, Job const& job, Authority& authority,
                                     std::function<void(vault::CertificateRow)> const& stored);
  net::Task<protocol::Event> publish(std::string owner, protocol::Publish proof, Job const& job);
  net::Task<protocol::Event> keep(protocol::StoreCertificate issued, vault::OrderRow row, Job const& job,
                                  std::function<void(vault::CertificateRow)> const& stored);
  static net::Task<protocol::Event> post(protocol::Post request, Authority& authority);
  net::Task<base::Result<protocol::Outcome>> rehearse_at(Job const& job, vault::OrderRow row, crypto::Key key,
                                                         Authority& authority);

  Environment of_;
  net::asio::thread_pool keys_{1};  // an RSA key would hold up the loop for up to seconds
};

}  // namespace acme
