"""Cases that cannot be judged here, by what they need that is not here."""

import json

# By a text that is in such a case.
NEEDS = {
    "AWS::Serverless": "needs AWS::Serverless",
    "lambda.create_function (helper)": "needs a macro, which is a Lambda function",
    "AWS::CloudFormation::Macro": "needs a macro, which is a Lambda function",
    "LocalStack::Testing::": "needs private extensions of the registry",
    "cloudformation.register_type": "needs private extensions of the registry",
    "fixture:register_extension": "needs private extensions of the registry",
    "cloudformation.set_type_configuration": "needs private extensions of the registry",
}


def reason(case):
    """Why a case is not judged; `None` if it is."""
    if case.get("usable") is False:
        return "the recording is not usable: " + str(case.get("why"))
    text = json.dumps({key: value for key, value in case.items() if key not in ("facets", "unlinked")})
    for need, why in NEEDS.items():
        if need in text:
            return why
    return None
