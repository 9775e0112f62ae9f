"""
The rivals: `fastapi <model.onnx> <port>` is onnxruntime behind FastAPI and uvicorn with uvloop and httptools, `fastapi-plain` the same as
`pip install fastapi uvicorn` gives it, and `flask - <port>` scikit-learn behind Flask and waitress.
"""

import sys

kind, model, port = sys.argv[1], sys.argv[2], int(sys.argv[3])

if kind.startswith("fastapi"):
    import numpy
    import onnxruntime
    import uvicorn
    from fastapi import FastAPI
    from pydantic import BaseModel

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    app = FastAPI()

    class Body(BaseModel):
        input_data: list[list[float]]

    @app.post("/predict")
    async def predict(body: Body):
        (probabilities,) = session.run(["probabilities"], {"x": numpy.array(body.input_data, dtype=numpy.float32)})
        return {"output_data": probabilities.tolist()}

    loop, http = ("asyncio", "h11") if kind == "fastapi-plain" else ("uvloop", "httptools")
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False, loop=loop, http=http)
else:
    import logging

    from flask import Flask, jsonify, request
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import RandomForestClassifier
    from waitress import serve

    data = load_breast_cancer()
    forest = RandomForestClassifier(n_estimators=100, random_state=1).fit(data.data, data.target)
    app = Flask(__name__)

    @app.post("/predict")
    def predict():
        return jsonify({"output_data": forest.predict_proba(request.get_json()["input_data"]).tolist()})

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    serve(app, host="127.0.0.1", port=port, threads=4, connection_limit=1000)
