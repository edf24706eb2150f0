"""Methods that repeat a fault of a public implementation on purpose, so that its effect can be measured.

Each names the method as it should be (`MethodInfo.repeats`), and differs from it in nothing but the fault, where
that can be had. They are no part of the field: `registry.compat_names()` lists them, `registry.method_names()` does
not. What they do to a trained model stands in docs/discrepancies.md. Nothing here is the projects' own code: it was
written anew from what that code was read to do, at the commit that the ledger names.
"""
