// The file that a bearer token lies in, and what stands there while a sign-up waits for its answer: the key of the
// request (Idempotency-Key), so that the same command run again gets the answer that was lost.
//
// Threads: any; blocking.
#pragma once

#include "base/result/result.hpp"

#include <string>

namespace commands {

// The content, without white space around. Failures: missing, larger than 4 KiB, readable by others than its owner
// (invalid_argument).
base::Result<std::string> read_secret_file(std::string const& path);

// The token in it (RFC 6750: visible characters). As above; invalid_argument when it holds none.
base::Result<std::string> read_token_file(std::string const& path);

// Makes `path`, which only its owner may read, with `key` in it, and yields the key. Where an earlier call left one,
// yields that. file_exists when anything else is there.
base::Result<std::string> begin_token_file(std::string const& path, std::string const& key);
// Replaces what begin_token_file() left.
base::Result<void> finish_token_file(std::string const& path, std::string const& token);
// Removes it when nothing but a key is in it.
void drop_token_file(std::string const& path);

}  // namespace commands
