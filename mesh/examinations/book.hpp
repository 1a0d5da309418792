// One examination of all nodes at a time: its number, and what came back. Pure.
//
// Threads: a value; time is a parameter.
#pragma once

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace examinations {

using Time = std::chrono::steady_clock::time_point;

inline constexpr std::chrono::seconds patience{6};  // how long nodes are waited for
inline constexpr std::chrono::seconds reuse{3};
inline constexpr std::chrono::seconds rest_of_nodes{20};
// Nodes that asked or said anything not longer ago are waited for: a poll is open for 25 s.
inline constexpr std::int64_t heard_lately_s = 30;

class Book {
 public:
  enum class Asker { an_operator, a_node };
  // The number of an examination that everybody is to make: a new one, or the last while it runs (`expected` have not
  // all answered) and when it is not older than `reuse`, for nodes `rest_of_nodes`: none of them may keep all others
  // at work.
  std::int64_t ask(std::int64_t now_s, Time now, Asker asker, std::set<std::string> const& expected);
  [[nodiscard]] std::int64_t number() const { return number_; }   // 0: none was ever asked for
  [[nodiscard]] Time until() const { return asked_ + patience; }  // it is over then, whoever has not answered
  // What a node found: {"findings": [...], "blind": [...]}. Of another examination than the last: false, left aside.
  bool take(std::int64_t number, std::string const& node, boost::json::object found);
  [[nodiscard]] bool complete(std::set<std::string> const& expected) const;

  // {"healthy","nodes":[{"node","answered","healthy","findings","blind"}]} of every member, by name. `heard_s`: when
  // each member asked or said anything last, 0: never; who did not answer has a finding that says so.
  [[nodiscard]] std::string report(std::map<std::string, std::int64_t> const& heard_s, std::int64_t now_s) const;

 private:
  std::int64_t number_ = 0;
  Time asked_{};
  std::map<std::string, boost::json::object> found_;
};

// The members that are waited for.
std::set<std::string> expected(std::map<std::string, std::int64_t> const& heard_s, std::int64_t now_s);

}  // namespace examinations
