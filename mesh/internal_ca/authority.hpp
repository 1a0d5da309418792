// The stack's internal certificate authority: short-lived leaves for nodes, issued by an EC P-256 root in a directory
// of the controller, or by a certificate that a root kept elsewhere signed (issuing.hpp).
//
// A leaf's SAN is the node's name and "<node>.internal"; it serves and authenticates (both extended key usages), so
// that one certificate is enough for Navigator's API, the feed and the edges. Leaves live 72 hours, never longer than
// what issued them, and are renewed at half of that.
//
// Threads: immutable after open; the functions may be called from any thread.
#pragma once

#include "mesh/internal_ca/credentials.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace internal_ca {

inline constexpr std::int64_t leaf_lifetime_s = 72 * 3600;
inline constexpr std::int64_t root_lifetime_s = 10LL * 365 * 24 * 3600;

struct AuthorityFiles {
  explicit AuthorityFiles(std::string const& directory);
  std::string root_key;     // ca.key, 0600
  std::string root;         // ca.crt
  std::string issuing;      // issuing.pem, 0600: key and certificate, in one file so that they always belong together
  std::string request_key;  // issuing.request.key, 0600: of a request that is not answered yet
};

// Where the root's key is meant to be. `elsewhere`: no root is ever made here.
enum class RootKey { here, elsewhere };

class Authority {
 public:
  // With issuing.pem: what it holds issues, whether ca.key is there or not. Without: reads ca.key (0600) and ca.crt
  // from the directory, or makes both. errc::bad_state when files are missing, damaged or do not belong together, and
  // when there is nothing to issue with and the root is elsewhere. One that has ended opens, and issues nothing.
  static base::Result<Authority> open(std::string const& directory, std::int64_t now_s, RootKey root = RootKey::here);

  // A leaf for the request's key, followed by what issued it unless that is the root. The request must be for `node`
  // (csr_name); errc::bad_request otherwise. errc::expired: what issues has ended.
  [[nodiscard]] base::Result<std::string> issue(std::string const& csr_pem, std::string const& node, std::int64_t now_s,
                                                std::int64_t lifetime_s = leaf_lifetime_s) const;
  // The root: what everybody verifies by.
  [[nodiscard]] std::string const& root_pem() const { return root_pem_; }
  [[nodiscard]] bool root_issues() const { return issuer_pem_ == root_pem_; }
  // Of what issues, the root or not; secret: its key.
  [[nodiscard]] std::string const& key_pem() const { return key_pem_; }
  [[nodiscard]] std::string const& issuer_pem() const { return issuer_pem_; }
  [[nodiscard]] Validity const& issuer_validity() const { return issuer_validity_; }

 private:
  static base::Result<Authority> open_issuing(AuthorityFiles const& files);
  static base::Result<Authority> open_root(AuthorityFiles const& files, std::int64_t now_s);
  Authority(std::string key_pem, std::string issuer_pem, std::string root_pem, Validity validity)
      : key_pem_(std::move(key_pem)),
        issuer_pem_(std::move(issuer_pem)),
        root_pem_(std::move(root_pem)),
        issuer_validity_(validity) {}
  std::string key_pem_;
  std::string issuer_pem_;
  std::string root_pem_;
  Validity issuer_validity_;
};

// How long before its end whoever looks is told: a third of its life, half a year at most.
[[nodiscard]] std::int64_t alarm_before_s(Validity const& validity);

// A root certificate for the key. errc::crypto.
base::Result<std::string> make_root(std::string const& key_pem, std::int64_t now_s,
                                    std::int64_t lifetime_s = root_lifetime_s);

}  // namespace internal_ca
