// An order from newOrder to the stored certificate (RFC 8555 section 7.4) as a machine without input or output:
// `resume(event, now)` says what to do next, whoever owns the sockets does it and comes back with what happened.
//
//   begin -> newOrder -> save its URL -> authorizations -> publish all TXT values -> POST {} to every challenge
//         -> poll the order -> finalize -> poll -> download -> check -> store -> take the TXT values away -> finish
//
// One kind of challenge is used (acme/challenge); where a CA does not offer it for a name, no challenge is begun at
// all.
//
// What an order may carry beyond its names, a profile (draft-ietf-acme-profiles) and the certificate it replaces (RFC
// 9773 section 5), is left out once when the CA refuses it: a certificate without it is better than none. A chain other
// than the CA's first is fetched only when a preferred issuer is named (RFC 8555 section 7.4.2).
//
// A lost answer never leads to a second start of a challenge: the machine reads the order (or the authorization) again
// and continues from what the CA says. So a crash is the same as a lost answer: with the persisted order URL, key and
// CSR the machine continues. What is lost with the answer to newOrder is the order's URL: the machine looks through the
// account's list of orders (RFC 8555 section 7.1.2.1) for one of these names that nobody began, and places another only
// when there is none. A CA without that list, as Boulder is, gives the same pending order back to who asks for the same
// names. TXT values are taken away on every path, and pending
// authorizations of a failed order are deactivated, because CAs limit their number.
//
// Threads: a plain object, owned by one loop.
#pragma once

#include "acme/challenge/challenge.hpp"
#include "acme/crypto/certificate.hpp"
#include "acme/messages/messages.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace protocol {

// What is known before the first request; all of it is persisted first.
struct OrderPlan {
  std::vector<std::string> names;  // lower-case A-labels without a final dot, no duplicates
  crypto::Key key;                 // of the certificate
  std::string csr;                 // DER, made of `key` and `names`
  std::string thumbprint;          // of the account's key
  std::string new_order_url;
  std::string order_url;   // empty for a fresh order
  std::string profile{};   // empty: the CA's default. Only one that the directory offers
  std::string replaces{};  // ARI identifier of the certificate that this one renews; only towards the CA that issued it
  std::string preferred_issuer{};  // common name of the topmost issuer that the chain shall end with; empty: any
  ChallengeKind challenge = ChallengeKind::dns01;
  std::string account_url{};              // for challenges that name the account
  std::chrono::seconds standing_life{0};  // of a standing proof; 0: it has no end of its own
  bool perhaps_placed = false;            // an earlier run may have asked for it; of no effect with an order_url
};

struct OrderLimits {
  // Without Retry-After; doubles. A CA that is near answers within a hundredth of a second, and of one that takes a
  // second seven questions are asked.
  std::chrono::milliseconds poll_first{10};
  std::chrono::milliseconds poll_limit{10000};
  std::chrono::milliseconds lost_first{500};   // the pause after a lost answer; doubles
  std::chrono::milliseconds patience{600000};  // a run that takes longer stops; the order is kept and resumed later
  unsigned lost_max = 5;                       // lost answers in a row
};

struct Outcome {
  FailureClass failure = FailureClass::none;  // none: the certificate is stored
  std::string detail;                         // why it failed, one sentence
  std::optional<Time> not_before;             // when the CA allows another try
  bool keep_order = false;                    // the same order URL, key and CSR are good for another run
  bool cleaned = true;                        // false: TXT values may be left in the store
  bool asked = true;       // false: it ended before the CA was asked for an order, or about the one that it keeps
  bool placed = false;     // with keep_order: the CA has it, and it is known where
  bool unseen = false;     // the look at the names got no answer, which says nothing about them
  std::string problem{};   // the type of the CA's problem document, if it gave one
  std::string instance{};  // where a person must go (userActionRequired)
  std::vector<std::string> notes{};  // what was left out or passed over on the way, one sentence each
};

// --- what the owner of the sockets shall do ---
struct Post {  // answered by Answer or Lost
  std::string url;
  std::optional<std::string> payload;  // nothing: POST-as-GET
  bool operator==(Post const&) const = default;
};
struct SaveOrder {  // Done or Refused
  std::string order_url;
  bool operator==(SaveOrder const&) const = default;
};
struct Publish {                 // Done when every site answers all of them; Refused otherwise
  std::vector<TxtValue> values;  // sorted, each once
  bool standing = false;         // they stay when the order is over, so there is no Unpublish for them
  bool operator==(Publish const&) const = default;
};
struct Unpublish {  // Done or Refused
  bool operator==(Unpublish const&) const = default;
};
struct WaitUntil {  // Done
  Time until;
  bool operator==(WaitUntil const&) const = default;
};
struct StoreCertificate {  // Done or Refused
  std::string chain_pem;
  crypto::Certificate certificate;
};
struct Finish {  // the machine is not called again
  Outcome outcome;
};
using Action = std::variant<Post, SaveOrder, Publish, Unpublish, WaitUntil, StoreCertificate, Finish>;

// --- what happened ---
struct Begin {};
struct Answer {
  int status = 0;
  std::string location;
  std::string retry_after;
  std::string body;
  std::vector<std::string> alternates{};  // Link: rel="alternate"
  std::string next{};                     // Link: rel="next", of a list in pages
};
struct Lost {  // no HTTP answer
  std::string detail;
};
struct Done {};
struct Refused {
  std::string detail;
};
using Event = std::variant<Begin, Answer, Lost, Done, Refused>;

class OrderMachine {
 public:
  OrderMachine(OrderPlan plan, OrderLimits limits);

  // ASSERTs that the event answers the last action.
  Action resume(Event const& event, Time now);

 private:
  enum class Step {
    account,
    list,
    candidate,
    place,
    save,
    read,
    authorizations,
    publish,
    challenge,
    recheck,
    poll,
    finalize,
    download,
    alternate,
    store,
    diagnose,
    unpublish,
    deactivate,
    finished
  };
  struct Proof {  // one authorization that is not valid yet
    std::string authorization_url;
    std::string challenge_url;
    TxtValue txt;
    bool started = false;
  };

  Action on_answer(Answer const& answer, Time now);
  [[nodiscard]] FailureClass class_of_refusal(Problem const& problem) const;
  Action on_refusal(Problem const& problem, Answer const& answer, Time now);
  Action on_lost(std::string const& detail, std::string const& retry_after, Time now);
  Action on_done(Time now);
  Action on_refused(std::string const& detail);
  Action on_order(Order order, Answer const& answer, Time now);
  Action on_authorization(Authorization const& authorization, Time now);
  [[nodiscard]] Challenge const* wanted_of(Authorization const& authorization) const;
  [[nodiscard]] TxtValue proof_of(Authorization const& authorization, Challenge const& challenge, Time now) const;
  Action on_recheck(Authorization const& authorization);
  Action on_diagnosis(Authorization const& authorization);
  Action on_certificate(Answer const& answer, Time now);
  Action on_alternate(Answer const& answer, Time now);
  std::optional<Action> place_without(Problem const& problem);

  Action search();
  Action on_search(Answer const& answer, Time now);
  Action on_candidate(Answer const& answer, Time now);
  Action next_candidate();
  Action place();
  Action read();
  Action next_authorization();
  Action next_challenge(Time now);
  Action poll_later(std::string const& retry_after, Time now);
  Action finalize();
  Action next_alternate();
  Action diagnose();
  Action start_over(std::string const& why, Time now);
  Action fail(FailureClass failure, std::string detail, bool keep_order);
  Action clean_up();
  Action next_deactivation();
  Action post(Step step, std::string url, std::optional<std::string> payload);
  Action wait(Step step, Time until);

  OrderPlan plan_;
  OrderLimits limits_;
  Step step_ = Step::place;
  Post last_post_;  // repeated after a wait
  bool waiting_ = false;
  bool resumed_ = false;  // the order was placed by an earlier run
  bool published_ = false;
  Order order_;
  std::vector<Proof> proofs_;
  std::size_t index_ = 0;  // into authorizations, proofs or alternates, whichever the step walks
  std::vector<std::string> alternates_;
  std::vector<std::string> candidates_;  // orders of the account; the last is looked at first
  std::size_t pages_ = 0;
  std::optional<StoreCertificate> first_chain_;  // what is stored when no alternate is better
  unsigned lost_ = 0;
  unsigned finalized_ = 0;
  std::chrono::milliseconds interval_;
  Time deadline_{};
  Outcome outcome_;
};

}  // namespace protocol
