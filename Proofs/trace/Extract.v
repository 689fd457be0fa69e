(** The checker as OCaml.  Numbers stay the binary numbers of Coq; only truth
    values, pairs, options and lists become OCaml's own. *)
From Coq Require Import Extraction ExtrOcamlBasic.
From Trace Require Import Numbers Chains Check.
Extraction Language OCaml.
Set Warnings "-extraction-opaque-accessed".
Extraction Inline need andthen.
Extraction "checker.ml" check st0 env_of fsince decides follows.
