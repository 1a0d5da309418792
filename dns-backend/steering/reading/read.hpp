// From a document (YAML with places, or JSON without) to objects: types, ranges, words, unknown keys. What objects say
// about each other is check.hpp's.
//
// Problems carry the place in the file and the path ("pools[0].origins[2].address"; of one object alone, from itself).
//
// Threads: pure functions.
#pragma once

#include "base/config/document.hpp"
#include "dns-backend/steering/objects.hpp"

#include <boost/json/value.hpp>
#include <boost/system/result.hpp>

#include <string>
#include <string_view>

namespace steering {

template <class T>
using Read = boost::system::result<T, base::Problems>;

// One object. `name` is what it must be called, or empty; without a name of its own it gets this one.
Read<Object> read_object(config::Document const& document, Kind kind, std::string const& name = {});
// {monitors: [...], pools: [...], load_balancers: [...]}; each may be missing.
Read<Objects> read_objects(config::Document const& document);

// A row of the store: as read_object(), and tenants' objects too (tenant_of()).
Read<Object> read_row(config::Document const& document, Kind kind, std::string const& name);
Read<Object> read_json_row(std::string_view text, Kind kind, std::string const& name);

// The same from JSON text, null counting as absent. Not JSON: one problem.
Read<Object> read_json_object(std::string_view text, Kind kind, std::string const& name = {});
Read<Objects> read_json_objects(std::string_view text);

// The name of an object as it is kept: a load balancer's as dns::Name::text(), if it is a domain name.
std::string canonical_name(Kind kind, std::string const& name);

// Where `path` leads in the document, for problems found later: items of lists by [index] or by [name]. The place of
// the nearest thing on the way that is there.
base::Place place_of(config::Document const& document, std::string_view path);

}  // namespace steering
