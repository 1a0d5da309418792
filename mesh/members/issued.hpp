// Which certificates were issued to whom, until they end: so that those of who is a member no more can be named before.
//
// Nobody is revoked by a write of his own: a certificate is revoked while its name is no member's or operator's, or is
// one with another key, whatever made it so.
//
// Threads: functions over a Database, called on the thread that owns it.
#pragma once

#include "base/database/database.hpp"
#include "mesh/internal_ca/revocations.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace members {

// Its table is no follower's: a change of it raises no revision. It refers to those of enrolment::schema().
database::Schema issued_schema();

struct Issued {
  std::string serial;  // internal_ca::certificate_serial
  std::string name;
  std::string key_sha256;  // internal_ca::csr_key
  std::int64_t until_s = 0;
};
// Also forgets those that have ended. Errors of the database.
base::Result<void> note_issued(database::Database& database, Issued const& issued, std::int64_t now_s);

// Those that have not ended and must not be accepted, by their numbers; `at_s` is 0 where it is not known since when.
base::Result<std::vector<internal_ca::Revoked>> revoked(database::Database& database, std::int64_t now_s);

}  // namespace members
