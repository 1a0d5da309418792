// TLS settings for servers and clients, and small X.509 readers that several modules need.
//
// A context is made anew from its files for every listener and client; `Identity` names the files so that a renewed
// certificate is picked up by `reload`. TLS 1.2 is the oldest version spoken.
//
// Threads: a TlsContext is immutable after creation and may be shared; SSL objects made from it belong to one loop.
#pragma once

#include "base/result/result.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace boost::asio::ssl {
class context;
}

namespace net {

struct Identity {
  std::string certificate_file;  // PEM chain, leaf first
  std::string key_file;          // PEM, mode 0600
};

struct TlsClientSettings {
  std::string ca_file;               // PEM bundle; empty: the system's roots
  std::optional<Identity> identity;  // client certificate for mTLS
  // SHA-256, in lower-case hex, of the DER of the server's public key (SubjectPublicKeyInfo, which stays when its
  // certificate is renewed) or of its certificate. When set, this and nothing else is verified (an enrolment token pins
  // the controller so).
  std::string pinned_sha256;
  bool verify = true;  // false only for probes that do not judge the certificate
  // The name that is sent (SNI) and that the certificate must carry; empty: the URL's host. Set it where the URL holds
  // an address but the certificate a name ("controller.internal").
  std::string server_name;
};

struct TlsServerSettings {
  Identity identity;
  std::string client_ca_file;  // empty: no client certificate is asked for
  // A list of revoked certificates (CRL, RFC 5280, PEM) that is read again when it changes; empty: none is. While the
  // file is not there, nothing is taken for revoked (base/http_server/revocations.hpp).
  std::string client_crl_file = {};
  // false: a client without a certificate may connect too; one with a bad certificate never may.
  bool require_client_certificate = false;
};

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

// errc::certificate with the file's name when a file is missing, unreadable or does not match its key.
base::Result<TlsContext> make_client_context(TlsClientSettings const& settings);
base::Result<TlsContext> make_server_context(TlsServerSettings const& settings);

// Lower-case hex SHA-256 of the DER form of the first certificate in a PEM text.
base::Result<std::string> certificate_sha256(std::string_view pem);

}  // namespace net
