// Whether a certificate that a tenant brings can be served for one of his names: outside input, from untrusted people.
//
// Bounds: 256 KiB and 10 certificates of a chain, 16 KiB of a key, 100 names. Certificates as in RFC 5280, keys as
// PKCS#8 or the traditional PEM of OpenSSL.
//
// Threads: pure functions.
#pragma once

#include "acme/crypto/certificate.hpp"
#include "base/result/problem.hpp"

#include <boost/system/result.hpp>

#include <set>
#include <string>
#include <vector>

namespace upload {

using crypto::Time;

struct Upload {
  std::string chain_pem;  // leaf first
  std::string key_pem;    // not encrypted
};

struct Ground {
  std::vector<std::string> names;  // that it shall be served for, "*." allowed: it must cover all of them
  std::set<std::string> owned;     // names of the tenant that are proved, without "*.": it names nothing else
  Time now;
};

struct Checked {
  crypto::Certificate certificate;
  std::string chain_pem;  // certificates alone, as OpenSSL writes them
  std::string key_pem;    // PKCS#8: seal it before it is stored
};

// Every problem at once, by field ("chain_pem", "key_pem") and with a hint. No text of the key is in any of them.
[[nodiscard]] boost::system::result<Checked, base::Problems> look_through(Upload const& upload, Ground const& ground);

}  // namespace upload
