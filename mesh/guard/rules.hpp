// Keeps one table of the kernel's packet filter as a text for nft(8) says; every other table is never touched.
//
// The kernel counts the changes of all its tables (NFT_MSG_GETGEN): while that number stands still nothing is read.
// When it moved, the table is listed by nft and held against what nft printed after the text was last taken.
//
// Threads: one object on one loop.
#pragma once

#include "base/net/task.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace guard {

enum class errc {
  rules = 1,  // nft does not run or does not take the text; the detail has its own sentence
};
boost::system::error_code make_error_code(errc code);

class Rules {
 public:
  static constexpr char const* table = "privateer";  // of family inet

  // `command` is nft, maybe with options; the text and what nft printed are kept in `state_directory`.
  Rules(std::vector<std::string> command, std::string const& state_directory);

  // True when the table was written. The text begins with what removes the table.
  net::Task<base::Result<bool>> converge(std::string text);
  // What `converge` would find, without a change of anything.
  enum class Found {
    right,
    absent,      // there is no such table
    other_text,  // it is what this agent wrote for another text, in_use()
    damaged,     // somebody changed it
  };
  net::Task<base::Result<Found>> look(std::string text);
  // The text that was taken last, also by the process before this one; empty when none is known.
  [[nodiscard]] std::string const& in_use() const { return right_; }

 private:
  net::Task<base::Result<std::string>> list();
  net::Task<base::Result<void>> load(std::string text, std::string file);

  std::vector<std::string> command_;
  std::string text_file_;
  std::string marker_file_;
  std::string right_;                        // the text that the table was last seen to be right by
  std::optional<std::uint32_t> generation_;  // at that time
};

// How often the rules of this network namespace were changed, by whomever. Nothing where the kernel has no nftables.
std::optional<std::uint32_t> generation_of_rules();

// Pure: the commands that make a table of the first text one of the second, when they differ in the sets of devices
// alone (or in remarks and order: then none); nothing when they differ in more. A table that is replaced as a whole
// loses packets: between the old sets and the new ones the kernel looks into empty ones for a moment.
std::optional<std::string> in_place(std::string const& before, std::string const& now);

// Pure: the text, in whose sets of devices stay those that are about to go and that the text `before` had: what still
// comes over them is let through until they are gone.
std::string with_departing(std::string text, std::string const& before, std::set<std::string> const& devices);

// Pure: the text without these devices in its sets: somebody else has the names.
std::string without_devices(std::string text, std::set<std::string> const& devices);

// True when a program of this name can be started: an absolute path, or a name in PATH.
bool is_installed(std::string const& program);

}  // namespace guard

template <>
struct boost::system::is_error_code_enum<guard::errc> : std::true_type {};
