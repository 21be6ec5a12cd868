"""Cases that cannot be judged here, by the end of their name, with the reason."""

MACRO = "needs a macro, which is a Lambda function"
SAM = "needs AWS::Serverless"
REGISTRY = "needs private extensions of the registry"

EXCEPTED = {
    "TestExtensionsApi__test_extension_not_complete": REGISTRY,
    "TestExtensionsApi__test_extension_type_configuration": REGISTRY,
    "TestExtensionsApi__test_extension_versioning": REGISTRY,
    "TestExtensionsHooks__test_hook_deployment[FAIL]": "needs a hook",
    "TestExtensionsHooks__test_hook_deployment[WARN]": "needs a hook",
    "TestExtensionsResourceTypes__test_deploy_resource_type": REGISTRY,
    "test_conditional_transform[false]": MACRO,
    "test_conditional_transform[true]": MACRO,
    "test_embedded_macro_for_attribute_fn_transform": MACRO,
    "test_global_macro_fn_transform": MACRO,
    "test_multiple_fn_transform_order": MACRO,
    "test_serverless_fn_transform": SAM,
    "test_update_after_macro_for_before_version_is_deleted": MACRO,
    "TestMacros__": MACRO,
    "test_rest_api_serverless_ref_resolving": SAM,
    "test_sam_policies": SAM,
}


def reason(case):
    """Why a case is not judged; `None` if it is."""
    if case.get("usable") is False:
        return "the recording is not usable: " + str(case.get("why"))
    for name, why in EXCEPTED.items():
        if case["id"].endswith(name) or (name.endswith("__") and name in case["id"]):
            return why
    return None
