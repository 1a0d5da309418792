// What a token may do.
//
// Threads: plain values and pure functions.
#pragma once

#include "base/result/problem.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace tokens {

// Empty lists are no restriction, but for this: a scope with zones, names or types and no actions is one of records. It
// has read and records; what is no record (domains, certificates, pools, ...) has to be named.
struct Scope {
  bool admin = false;                // everything an administrator may; then nothing below counts
  std::vector<std::string> actions;  // of actions()
  std::vector<std::string> zones;    // "example.org"
  std::vector<std::string> names;    // patterns: '*' stands for any characters, "_acme-challenge.*"
  std::vector<std::string> types;    // "TXT"
  bool operator==(Scope const&) const = default;
};

// read: the tenant, its status, pools and certificates; records, domains, clusters, tokens: to change those; acme:
// challenge values by the acme-dns protocol; certificates: to bring one of one's own; pools: origins of one's own.
std::vector<std::string> const& actions();

struct Deed {
  std::string action;
  std::string zone = {};  // "" where none is concerned
  std::string name = {};
  std::string type = {};
};

// Empty, or what the scope leaves out: "records", "the name 'a.example.org'".
std::string forbidden(Scope const& scope, Deed const& deed);

// '*' is any run of characters, also none; letters in any case, a final dot does not count.
bool matches(std::string_view pattern, std::string_view name);

boost::json::object to_json(Scope const& scope);
// What is wrong goes to `problems`, by field.
Scope read_scope(boost::json::object const& body, base::Problems& problems);

}  // namespace tokens
