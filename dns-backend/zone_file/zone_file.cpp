#include "dns-backend/zone_file/zone_file.hpp"

#include "dns-backend/dns/ttl.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <functional>
#include <iomanip>
#include <optional>
#include <sstream>
#include <tuple>

namespace dns {
namespace {

constexpr std::size_t problems_max = 1000;
constexpr std::uint64_t ttl_max = 0x7fffffff;  // RFC 2181 8
constexpr std::size_t include_depth_max = 8;
constexpr std::uint64_t generated_max = 65536;
constexpr std::size_t progress_step = 50000;

struct Span {
  std::int64_t first = 0, last = 0, step = 1;
};

// One record or directive: it may span lines inside parentheses.
struct Entry {
  int line = 0;
  bool blank_owner = false;  // the line begins with a blank: the owner is the previous one
  std::vector<std::string> tokens;
};

// Cuts a file into entries: blanks, quotes, parentheses and comments (RFC 1035 5.1).
class Scanner {
 public:
  Scanner(std::string_view text, std::function<void(int, std::string, std::string)> problem)
      : text_(text), problem_(std::move(problem)) {
    if (text_.starts_with("\xef\xbb\xbf")) {
      at_ = 3;  // a byte order mark
    }
  }

  // The next entry; nullopt at the end of the file.
  std::optional<Entry> next() {
    while (at_ < text_.size()) {
      Entry entry = read();
      if (!entry.tokens.empty()) {
        return entry;
      }
    }
    return std::nullopt;
  }

 private:
  Entry read() {
    Entry entry;
    entry.line = line_;
    entry.blank_owner = text_[at_] == ' ' || text_[at_] == '\t';
    int depth = 0;
    while (at_ < text_.size()) {
      char const c = text_[at_];
      if (c == '\n') {
        ++at_;
        ++line_;
        if (depth == 0) {
          return entry;
        }
      } else if (c == ' ' || c == '\t' || c == '\r') {
        ++at_;
      } else if (c == ';') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == '(' || c == ')') {
        ++at_;
        depth += c == '(' ? 1 : -1;
        if (depth < 0) {
          problem_(line_, "a ')' closes nothing", "");
          depth = 0;
        }
      } else {
        if (entry.tokens.empty()) {
          entry.line = line_;
        }
        entry.tokens.push_back(token());
      }
    }
    if (depth > 0) {
      problem_(entry.line, "a '(' is never closed", "everything after it was read as one record");
    }
    return entry;
  }

  std::string token() {
    std::string token;
    bool quoted = false;
    for (; at_ < text_.size(); ++at_) {
      char const c = text_[at_];
      bool const ends = c == ' ' || c == '\t' || c == '\r' || c == ';' || c == '(' || c == ')';
      if (c == '\n' || (!quoted && ends)) {
        break;
      }
      token.push_back(c);
      if (c == '"') {
        quoted = !quoted;
      } else if (c == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') {
        token.push_back(text_[++at_]);
      }
    }
    if (quoted) {
      problem_(line_, "a quote is not closed on its line", "write a line break inside a string as \\010");
      token.push_back('"');
    }
    return token;
  }

  std::string_view text_;
  std::function<void(int, std::string, std::string)> problem_;
  std::size_t at_ = 0;
  int line_ = 1;
};

// "3600" or "1h30m" (units w, d, h, m, s).
std::optional<std::uint32_t> parse_ttl(std::string_view text) {
  std::uint64_t total = 0;
  while (!text.empty()) {
    std::uint32_t value = 0;
    auto const [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{}) {
      return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
    std::uint64_t unit = 1;
    if (!text.empty()) {
      static constexpr std::string_view units = "smhdw";
      static constexpr std::array<std::uint64_t, 5> seconds{1, 60, 3600, 86400, 604800};
      auto const lower = static_cast<char>(text.front() | 0x20);
      std::size_t const which = units.find(lower);
      if (which == std::string_view::npos) {
        return std::nullopt;
      }
      unit = seconds[which];
      text.remove_prefix(1);
    }
    total += value * unit;
    if (total > ttl_max) {
      return std::nullopt;
    }
  }
  return static_cast<std::uint32_t>(total);
}

std::string upper(std::string text) {
  for (char& c : text) {
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return text;
}

// "${offset,width,base}" and "$" in one word of $GENERATE; nullopt when a "${" makes no sense. "\\$" is '$'.
std::optional<std::string> generated(std::string_view word, std::int64_t value) {
  std::string out;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '\\' && i + 1 < word.size()) {
      out += {word[i], word[i + 1]};
      ++i;
    } else if (word[i] != '$') {
      out += word[i];
    } else if (!word.substr(i).starts_with("${")) {
      out += std::to_string(value);
    } else {
      std::size_t const end = word.find('}', i);
      int offset = 0, width = 0;
      char base = 'd';
      std::string const inside(word.substr(i + 2, end == std::string_view::npos ? 0 : end - i - 2));
      int const read = std::sscanf(inside.c_str(), "%d,%d,%c", &offset, &width, &base);
      bool const known = std::string_view("doxX").find(base) != std::string_view::npos;
      if (end == std::string_view::npos || read < 1 || width < 0 || width > 63 || !known) {
        return std::nullopt;
      }
      std::ostringstream text;
      text << std::setfill('0') << std::setw(width)
           << (base == 'd'   ? std::dec
               : base == 'o' ? std::oct
                             : std::hex)
           << (base == 'X' ? std::uppercase : std::nouppercase) << value + offset;
      out += text.str();
      i = end;
    }
  }
  return out;
}

// "1-254" or "0-100/2"; nullopt when it is none or holds too many.
std::optional<Span> parse_span(std::string_view text) {
  Span span;
  auto const number = [&text](std::int64_t& value) {
    auto const [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
    return error == std::errc{} && value >= 0 && value <= 0x7fffffff;
  };
  bool good = number(span.first) && text.starts_with('-');
  text.remove_prefix(good ? 1 : 0);
  good = good && number(span.last) && span.last >= span.first;
  if (good && text.starts_with('/')) {
    text.remove_prefix(1);
    good = number(span.step) && span.step > 0;
  }
  bool const few = good && static_cast<std::uint64_t>((span.last - span.first) / span.step) < generated_max;
  return few && text.empty() ? std::optional(span) : std::nullopt;
}

class Parser {
 public:
  Parser(Name const& apex, FileOptions const& options) : apex_(apex), options_(options), origin_(apex) {}

  boost::system::result<std::vector<OwnedRRset>, base::Problems> run(std::string_view text, std::string const& source) {
    read(text, source);
    auto rrsets = group();
    check(rrsets);
    if (!problems_.empty()) {
      std::stable_sort(problems_.begin(), problems_.end(), [](Found const& a, Found const& b) {
        return std::tie(a.first, a.second.place.line) < std::tie(b.first, b.second.place.line);
      });
      base::Problems out;
      for (Found& found : problems_) {
        out.push_back(std::move(found.second));
      }
      return out;
    }
    return rrsets;
  }

 private:
  struct Line {
    Name owner;
    RRType type;
    std::uint32_t ttl = 0;
    std::string content;
    int line = 0;
    std::size_t source = 0;
  };
  using Found = std::pair<std::size_t, base::Problem>;  // the source's index first

  void read(std::string_view text, std::string const& source) {
    std::size_t const outer = source_;
    source_ = sources_.size();
    sources_.push_back(source);
    ++depth_;
    Scanner scanner(text, [this](int line, std::string message, std::string hint) {
      problem(line, std::move(message), std::move(hint));
    });
    while (auto const entry = scanner.next()) {
      if (!entry->blank_owner && entry->tokens[0].starts_with('$')) {
        directive(*entry);
      } else {
        record(*entry);
      }
    }
    --depth_;
    source_ = outer;
  }

  void problem(int line, std::string message, std::string hint) {
    problem(source_, line, std::move(message), std::move(hint));
  }
  void problem(std::size_t source, int line, std::string message, std::string hint) {
    bool const last = problems_.size() == problems_max;
    message = last ? "too many problems, the rest is left out" : std::move(message);
    if (problems_.size() <= problems_max) {
      problems_.push_back({source, {{sources_[source], line, 0}, "", std::move(message), last ? "" : std::move(hint)}});
    }
  }

  // $INCLUDE file [origin]: neither its origin nor its owners reach beyond it (RFC 1035 5.1).
  void include(Entry const& entry) {
    bool const worded = entry.tokens.size() == 2 || entry.tokens.size() == 3;
    auto const inner = entry.tokens.size() == 3 ? Name::parse(entry.tokens[2], origin_) : base::Result<Name>(origin_);
    if (!options_.include || depth_ >= include_depth_max || !worded || !inner) {
      problem(entry.line,
              !options_.include             ? "$INCLUDE is not supported here"
              : depth_ >= include_depth_max ? "files include each other more than 8 deep"
              : !worded                     ? "$INCLUDE takes a file name and perhaps an origin"
                                            : inner.error().detail,
              options_.include ? "" : "'navigator zone import' reads included files itself");
      return;
    }
    std::string name = entry.tokens[1];
    std::erase(name, '"');
    auto const file = options_.include(name, sources_[source_]);
    if (!file) {
      problem(entry.line, file.error().what(), "");
      return;
    }
    auto const outer = std::tuple(origin_, owner_, owner_seen_);
    origin_ = *inner;
    read(file->text, file->source_name);
    std::tie(origin_, owner_, owner_seen_) = outer;
  }

  // $GENERATE first-last[/step] name [ttl] [class] type content
  void generate(Entry const& entry) {
    auto const span = entry.tokens.size() < 5 ? std::nullopt : parse_span(entry.tokens[1]);
    if (!span) {
      problem(entry.line, "this $GENERATE makes no sense",
              "$GENERATE 1-254 host$ A 192.0.2.$, at most " + std::to_string(generated_max) + " records");
      return;
    }
    std::size_t const before = problems_.size();
    // One record that is wrong is wrong in all of them.
    for (std::int64_t value = span->first; value <= span->last && problems_.size() == before; value += span->step) {
      Entry made{entry.line, false, {}};
      for (std::size_t i = 2; i < entry.tokens.size(); ++i) {
        auto word = generated(entry.tokens[i], value);
        if (!word) {
          problem(entry.line, "'" + entry.tokens[i] + "' is no ${offset,width,base} with base d, o, x or X", "");
          return;
        }
        made.tokens.push_back(std::move(*word));
      }
      record(made);
    }
  }

  void directive(Entry const& entry) {
    std::string const name = upper(entry.tokens[0]);
    if (name == "$INCLUDE") {
      include(entry);
    } else if (name == "$GENERATE") {
      generate(entry);
    } else if (name != "$ORIGIN" && name != "$TTL") {
      problem(entry.line, "unknown directive '" + entry.tokens[0] + "'",
              "known are $ORIGIN, $TTL, $INCLUDE and $GENERATE");
    } else if (entry.tokens.size() != 2) {
      problem(entry.line, name + " takes one value", "");
    } else if (name == "$ORIGIN") {
      auto const origin = Name::parse(entry.tokens[1], origin_);
      if (origin) {
        origin_ = *origin;
      } else {
        problem(entry.line, origin.error().detail, "");
      }
    } else if (auto const ttl = parse_ttl(entry.tokens[1])) {
      default_ttl_ = *ttl;
    } else {
      problem(entry.line, "'" + entry.tokens[1] + "' is no TTL", "seconds up to 2147483647, or for instance 1h30m");
    }
  }

  // The TTL and the class, in either order, stand before the type. False: a problem was reported.
  bool ttl_and_class(Entry const& entry, std::size_t& at, std::optional<std::uint32_t>& ttl) {
    for (; at < entry.tokens.size(); ++at) {
      std::string const word = upper(entry.tokens[at]);
      if (word == "CH" || word == "HS" || word == "CS") {
        problem(entry.line, "class " + word + " is not served", "only IN is");
        return false;
      }
      if (word == "IN") {
        continue;
      }
      if (ttl || word[0] < '0' || word[0] > '9') {
        return true;
      }
      ttl = parse_ttl(word);
      if (!ttl) {
        problem(entry.line, "'" + word + "' is no TTL", "seconds up to 2147483647, or for instance 1h30m");
        return false;
      }
    }
    return true;
  }

  void record(Entry const& entry) {
    std::size_t at = 0;
    if (!entry.blank_owner) {
      auto const owner = Name::parse(entry.tokens[at++], origin_);
      // A bad owner is reported once; the lines that inherit it are left out with it.
      owner_ = owner ? std::optional<Name>(*owner) : std::nullopt;
      owner_seen_ = true;
      if (!owner) {
        problem(entry.line, owner.error().detail, "");
      }
    } else if (!owner_seen_) {
      problem(entry.line, "the first record has no owner", "write the name, or @ for " + origin_.text());
      owner_seen_ = true;
    }
    std::optional<std::uint32_t> ttl;
    if (!ttl_and_class(entry, at, ttl)) {
      return;
    }
    if (at == entry.tokens.size()) {
      problem(entry.line, "the record has no type", "");
      return;
    }
    auto const type = parse_type(entry.tokens[at]);
    if (!type) {
      problem(entry.line, type.error().detail, "");
      return;
    }
    std::string rdata;
    for (++at; at < entry.tokens.size(); ++at) {
      rdata += rdata.empty() ? "" : " ";
      rdata += entry.tokens[at];
    }
    auto content = normalize_content(*type, rdata, origin_);
    if (!content) {
      problem(entry.line, content.error().detail, "");
      return;
    }
    add(entry.line, *type, ttl, std::move(*content));
  }

  void add(int line, RRType type, std::optional<std::uint32_t> ttl, std::string content) {
    if (ttl) {
      last_ttl_ = *ttl;
    } else if (default_ttl_) {
      ttl = default_ttl_;  // RFC 2308 4
    } else if (last_ttl_) {
      ttl = last_ttl_;  // RFC 1035 5.1
    } else if (type == type_soa) {
      ttl = parse_ttl(std::string_view(content).substr(content.rfind(' ') + 1));
      last_ttl_ = ttl;
    }
    if (!ttl) {
      problem(line, "the record has no TTL", "write one, or $TTL before it");
      ttl = 0;
    }
    if (owner_) {
      lines_.push_back({*owner_, type, *ttl, std::move(content), line, source_});
      if (options_.progress && lines_.size() % progress_step == 0) {
        options_.progress(lines_.size());
      }
    }
  }

  std::vector<OwnedRRset> group() {
    std::stable_sort(lines_.begin(), lines_.end(), [](Line const& a, Line const& b) {
      return std::tie(a.owner, a.type) < std::tie(b.owner, b.type);
    });
    std::vector<OwnedRRset> rrsets;
    for (Line const& line : lines_) {
      if (rrsets.empty() || rrsets.back().owner != line.owner || rrsets.back().rrset.type != line.type) {
        rrsets.push_back({line.owner, {line.type, line.ttl, {}}});
      } else if (rrsets.back().rrset.ttl != line.ttl && line.type != type_rrsig) {
        // (A signature has the TTL of what it covers, RFC 4034 3.)
        problem(line.source, line.line,
                "the " + to_text(line.type) + " records of '" + line.owner.text() + "' have different TTLs",
                "RFC 2181 5.2: one TTL for all records of a name and type");
      }
      rrsets.back().rrset.contents.push_back(line.content);
    }
    for (OwnedRRset& owned : rrsets) {
      auto& contents = owned.rrset.contents;
      std::sort(contents.begin(), contents.end());
      contents.erase(std::unique(contents.begin(), contents.end()), contents.end());
    }
    return rrsets;
  }

  void check(std::vector<OwnedRRset> const& rrsets) {
    for (Conflict const& conflict : check_zone(apex_, rrsets)) {
      int line = 0;
      std::size_t source = 0;
      bool exact = false;
      for (auto found = std::lower_bound(lines_.begin(), lines_.end(), conflict.owner,
                                         [](Line const&a, Name const&owner) { return a.owner < owner; });
           found != lines_.end() && found->owner == conflict.owner; ++found) {
        if (line == 0 || found->type == conflict.type) {
          line = found->line;
          source = found->source;
        }
        if (found->type == conflict.type) {
          exact = true;
          break;
        }
      }
      bool const missing = !exact && (conflict.type == type_soa || conflict.type == type_ns);
      if (options_.whole_zone || !missing) {
        problem(source, line, conflict.message, conflict.hint);
      }
    }
  }

  Name const& apex_;
  FileOptions const& options_;
  std::vector<std::string> sources_;  // file names in the order they were opened
  std::size_t source_ = 0;            // the one being read
  std::size_t depth_ = 0;
  Name origin_;
  std::vector<Found> problems_;
  std::optional<std::uint32_t> default_ttl_;
  std::optional<std::uint32_t> last_ttl_;
  std::optional<Name> owner_;
  bool owner_seen_ = false;
  std::vector<Line> lines_;
};

}  // namespace

boost::system::result<std::vector<OwnedRRset>, base::Problems> parse_zone_file(std::string_view text,
                                                                               std::string const& source_name,
                                                                               Name const& apex,
                                                                               FileOptions const& options) {
  return Parser(apex, options).run(text, source_name);
}

std::string to_zone_file(Name const& apex, std::vector<OwnedRRset> const& rrsets) {
  std::vector<OwnedRRset const*> order;
  order.reserve(rrsets.size());
  for (OwnedRRset const& owned : rrsets) {
    order.push_back(&owned);
  }
  // The SOA leads, as every reader expects; the rest stands in canonical order.
  std::stable_sort(order.begin(), order.end(), [](OwnedRRset const* a, OwnedRRset const* b) {
    bool const soa_a = a->rrset.type == type_soa;
    bool const soa_b = b->rrset.type == type_soa;
    return soa_a != soa_b ? soa_a : std::tie(a->owner, a->rrset.type) < std::tie(b->owner, b->rrset.type);
  });
  std::string text = "$ORIGIN " + apex.text() + "\n";
  for (OwnedRRset const* owned : order) {
    for (std::string const& content : owned->rrset.contents) {
      text += owned->owner.text() + "\t" + std::to_string(ttl_of(owned->rrset, content)) + "\tIN\t" +
              to_text(owned->rrset.type) + "\t" + content + "\n";
    }
  }
  return text;
}

}  // namespace dns
