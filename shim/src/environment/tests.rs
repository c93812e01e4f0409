use super::*;

fn found(variables: &[&CStr]) -> Vec<&'static CStr> {
    let pointers = variables.iter().map(|variable| variable.as_ptr());
    let list: Vec<_> = pointers.chain([core::ptr::null()]).collect();
    ours(list.as_ptr()).collect()
}

#[test]
fn only_variables_with_our_prefixes_are_ours() {
    let list = [
        c"HOME=/",
        c"NSTK_IF=tap:test0",
        c"NSTK",
        c"",
        c"XNSTK_IF=",
        c"NSTK_ADDR=",
    ];
    assert_eq!(found(&list), [c"NSTK_IF=tap:test0", c"NSTK_ADDR="]);
}

#[test]
fn a_list_may_be_empty_or_missing() {
    assert!(found(&[]).is_empty());
    assert_eq!(ours(core::ptr::null()).count(), 0);
}
