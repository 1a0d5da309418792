// Commands around the root of the mesh's certificates, kept elsewhere, and what the controller issues with instead:
// files, and no daemon. `state` is the controller's state directory. All return the exit code: 0 done, 1 it failed or,
// of ca_status and what ends with it, somebody has to do something, 2 the input is wrong; then why was printed to
// stderr.
//
// Threads: called from main, which has one thread.
#pragma once

#include <cstdint>
#include <string>

namespace privateer {

struct CaInput {
  std::string directory;        // of the root
  std::string file;             // the request, or what was signed; "-": stdin
  std::string output;           // empty: stdout
  std::int64_t lifetime_s = 0;  // 0: the usual
  bool json = false;
};
int ca_create(CaInput const& input);
int ca_request(std::string const& state, CaInput const& input);
int ca_sign(CaInput const& input);
int ca_install(std::string const& state, CaInput const& input);
int ca_status(std::string const& state, bool as_json);

}  // namespace privateer
