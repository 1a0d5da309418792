// How rdata that ldns has read is written down. Private to this folder.
//
// Threads: pure functions.
#pragma once

#include "dns-backend/dns/ldns.hpp"
#include "dns-backend/dns/rrset.hpp"

#include <optional>
#include <string>

namespace dns {

// One octet of a label as a master file has it.
void append_escaped(std::string& text, char c);

// PowerDNS (4.7 to 5.1) reads and writes records of this type in a presentation form of its own. Every other type it
// takes as RFC 3597 has it: TYPE55 \# 4 0a000001.
bool is_known_to_powerdns(RRType type);

enum class TypeNames { mnemonics, numbers };

// Every field in presentation form, names with the letter case they have; the types inside RRSIG, NSEC and CSYNC as
// to_text() or as TYPE123. nullopt when ldns cannot print it.
std::optional<std::string> present(ldns_rr const& record, TypeNames names);

// "\# 4 0a000001" (RFC 3597).
std::string present_generic(ldns_rr const& record);

}  // namespace dns
